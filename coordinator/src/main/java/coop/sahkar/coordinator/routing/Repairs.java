package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.SessionId;
import java.util.List;

/**
 * Hears of the repairs of running generations, so that people can see them. Thread-safe; every
 * method returns at once. A coordinator that answers a head's call for a repair says {@link #begun}
 * and, where it has no route to give, {@link #noRoute}; the gateway that sees the generation go on
 * says {@link #finished}, and {@link #ended} when it is over.
 */
public interface Repairs {
    /**
     * A session needs another route. An earlier repair of it that still ran has not helped; asked
     * again for the same epoch it is the same repair.
     *
     * @param modelId {@code name@digest}
     * @param epoch the epoch that the session is to have afterwards
     * @param lost ids of the workers taken for lost
     * @param cause what the head noticed, in a sentence
     */
    void begun(SessionId session, String modelId, int epoch, List<String> lost, String cause);

    /** The session goes on, with this epoch or a later one. */
    void finished(SessionId session, int epoch);

    /**
     * There is no route for the session now; it may be asked for again.
     *
     * @param why in a sentence
     */
    void noRoute(SessionId session, int epoch, String why);

    /**
     * The session is over.
     *
     * @param well whether it came to its end: then it did without the routes that were not found
     */
    void ended(SessionId session, boolean well);

    /** Whether a session has gone, or is about to go, another way than to this epoch. */
    boolean superseded(SessionId session, int epoch);
}
