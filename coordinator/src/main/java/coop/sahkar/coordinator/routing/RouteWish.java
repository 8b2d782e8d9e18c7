package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.SessionId;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What somebody wants a route for.
 *
 * @param model a model's id, or a name that only one model has
 * @param positions most positions the session will hold, prompt and answer together; 0 when
 *     unknown: as many as model, policy and KV caches allow
 * @param avoid ids of workers not to use
 * @param prefer ids of workers to keep unless a route without them is clearly faster: they hold the
 *     session, or its beginning, already
 * @param session the session to draw another route for; null for a new one
 * @param epoch the epoch of that session's last route (the new one is 1 more); 0 for a new one
 * @param account whom the session is for; empty for nobody in particular. Workers learn a mark of
 *     it, see {@link CallerMarks}
 */
public record RouteWish(
        String model,
        int positions,
        Set<String> avoid,
        List<String> prefer,
        @Nullable SessionId session,
        int epoch,
        String account) {

    /**
     * What keeping a stage that holds the session is worth, in microseconds per token: a fifth of a
     * second of recomputing, spread over the next few tokens.
     */
    static final long KEPT_STAGE_MICROS = 50_000;

    public RouteWish {
        avoid = Set.copyOf(avoid);
        prefer = List.copyOf(prefer);
    }

    /** A first route for a new session. */
    public static RouteWish fresh(String model, int positions) {
        return new RouteWish(model, positions, Set.of(), List.of(), null, 0, "");
    }

    /** The same, to go on in a session that rests along {@code workers}. */
    public RouteWish goingOnIn(SessionId resting, int lastEpoch, List<String> workers) {
        return new RouteWish(model, positions, avoid, workers, resting, lastEpoch, account);
    }

    /** The same for a session of another length. */
    public RouteWish withPositions(int other) {
        return new RouteWish(model, other, avoid, prefer, session, epoch, account);
    }
}
