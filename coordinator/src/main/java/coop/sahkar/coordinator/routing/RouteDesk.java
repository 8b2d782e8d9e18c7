package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Draws routes and signs tickets for them. Safe for use by many threads; never blocks. */
public interface RouteDesk {
    /** Draws the best route there is at this moment, and keeps room for the session along it. */
    RouteAnswer draw(RouteWish wish);

    /** The same without workers that would be preferred; see {@link RouteWish}. */
    default RouteAnswer draw(
            String model,
            int positions,
            Set<String> avoid,
            @Nullable SessionId session,
            int epoch) {
        return draw(new RouteWish(model, positions, avoid, List.of(), session, epoch, ""));
    }

    /** A route is not used any more; what was kept free for it may be given to others. */
    void release(Ticket ticket);

    /** Whether a worker left the pool, or has been silent for longer than its lease. */
    boolean gone(String workerId);
}
