package coop.sahkar.coordinator.routing;

/** Draws the next route of a running session. Safe for use by many threads; never blocks. */
@FunctionalInterface
public interface RepairDesk {
    /**
     * Draws a route that keeps every stage of the present one that is still good, since those hold
     * the session's positions, and replaces the others.
     */
    RouteAnswer repair(RepairWish wish);
}
