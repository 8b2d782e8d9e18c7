package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.SessionId;
import java.util.List;

/**
 * Hears of the repairs of running generations, so that people can see them. Thread-safe; every
 * method returns at once. A coordinator that answers a head's call for a repair says {@link #begun}
 * and, where it has no route to give, {@link #failed}; the gateway that sees the generation go on
 * says {@link #finished}.
 */
public interface Repairs {
    /**
     * A session needs another route. An earlier repair of it that still ran has not helped.
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
     * The session got no route.
     *
     * @param why in a sentence
     */
    void failed(SessionId session, int epoch, String why);
}
