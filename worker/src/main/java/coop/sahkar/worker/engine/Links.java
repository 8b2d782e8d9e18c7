package coop.sahkar.worker.engine;

import coop.sahkar.proto.RouteStage;

/**
 * The way out of a stage. Called by the engine's thread and must not block it.
 *
 * <p>Messages to one peer arrive in the order they were sent, or not at all: when a link breaks,
 * everything behind the break is lost and the engine is told by {@link StageInbox#peerLost}.
 *
 * <p>The engine gives frames in F32; the link rewrites them in the codec it has negotiated.
 */
public interface Links {
    /** Sends a message to a peer, dialling it first if need be. */
    void send(RouteStage to, StageMessage message);

    /**
     * Reads, on the caller's thread, what has come for a stage on links that are lent to it. An
     * {@linkplain StageInbox#attentive attentive} stage calls this again and again instead of
     * sleeping.
     *
     * @return whether something has come
     */
    default boolean poll(StageInbox stage) {
        return false;
    }

    /** The stage polls no longer: links wake it as usual. */
    default void rest(StageInbox stage) {}
}
