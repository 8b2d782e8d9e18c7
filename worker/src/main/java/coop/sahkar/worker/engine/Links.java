package coop.sahkar.worker.engine;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.RouteStage;

/**
 * The way out of a stage. Called by the engine's thread and must not block it.
 *
 * <p>Messages to one peer arrive in the order they were sent, or not at all: when a link breaks,
 * everything behind the break is lost and the engine is told by {@link StageInbox#peerLost}.
 *
 * <p>Frames are given in F32 or as {@link #codec} says; the link rewrites what it has not
 * negotiated.
 */
public interface Links {
    /** Sends a message to a peer, dialling it first if need be. */
    void send(RouteStage to, StageMessage message);

    /**
     * In which codec frames travel to a peer now; F32 while that is not settled: nothing is lost
     * then, whatever it comes to.
     */
    default HiddenCodec codec(RouteStage to) {
        return HiddenCodec.F32;
    }

    /** Whether messages to a peer wait because the network takes no more. */
    default boolean backedUp(RouteStage to) {
        return false;
    }

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

    /**
     * Goes through all that lies between two batches, for nobody, so that the next message finds it
     * in the processor's caches. An attentive stage calls this while it has to wait anyway; it
     * takes some tens of microseconds.
     */
    default void rehearse() {}

    /** The stage polls no longer: links wake it as usual. */
    default void rest(StageInbox stage) {}
}
