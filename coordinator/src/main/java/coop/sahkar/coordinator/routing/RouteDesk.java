package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.Ticket;

/** Draws routes and signs tickets for them. Safe for use by many threads; never blocks. */
public interface RouteDesk {
    /** Draws the best route there is at this moment, and keeps room for the session along it. */
    RouteAnswer draw(RouteWish wish);

    /** A route is not used any more; what was kept free for it may be given to others. */
    void release(Ticket ticket);

    /** Whether a worker left the pool, or has been silent for longer than its lease. */
    boolean gone(String workerId);
}
