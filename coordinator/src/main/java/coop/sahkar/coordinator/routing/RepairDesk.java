package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.Ticket;
import java.util.Set;

/** Draws the next route of a running session. Safe for use by many threads; never blocks. */
@FunctionalInterface
public interface RepairDesk {
    /**
     * Draws a route that keeps every stage of {@code current} that is still good, since those hold
     * the session's positions, and replaces the others.
     *
     * @param current the session's newest route
     * @param lost ids of workers not to use
     * @param epoch number of the route to draw, greater than that of {@code current}
     */
    RouteAnswer repair(Ticket current, Set<String> lost, int epoch);
}
