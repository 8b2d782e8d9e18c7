package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Draws routes and signs tickets for them. Safe for use by many threads; never blocks. */
public interface RouteDesk {
    /**
     * Draws the best route there is at this moment.
     *
     * @param model a model's id, or a name that only one model has
     * @param positions most positions the session will hold, prompt and answer together; 0 when
     *     unknown: as many as model, policy and KV caches allow
     * @param avoid ids of workers not to use
     * @param session the session to draw another route for; null for a new one
     * @param epoch the epoch of that session's last route (the new one is 1 more); 0 for a new one
     */
    RouteAnswer draw(
            String model, int positions, Set<String> avoid, @Nullable SessionId session, int epoch);

    /** A route is not used any more; what was kept free for it may be given to others. */
    void release(Ticket ticket);

    /** Whether a worker left the pool, or has been silent for longer than its lease. */
    boolean gone(String workerId);
}
