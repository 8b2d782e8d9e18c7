package coop.sahkar.worker.engine;

import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.Reroute;

/** What lies in an engine's mailbox. */
sealed interface Inbound {

    /** A message from a peer, and when it came. */
    record FromPeer(StageMessage message, long arrivedNanos) implements Inbound {}

    /** A generation to run from this head. */
    record Start(GenerationStart generation) implements Inbound {}

    /** A generation, as it was started in an epoch, that nobody wants any more. */
    record Cancel(SessionId session, int epoch) implements Inbound {}

    /** A link that broke. */
    record PeerLost(String workerId, String reason) implements Inbound {}

    /** What asking for another route for a session came to. */
    record Rerouted(SessionId session, Reroute answer) implements Inbound {}

    /** No new sessions from here on. */
    record Drain() implements Inbound {}

    /** The sessions that run are to go elsewhere from here on. */
    record Leave() implements Inbound {}

    /** The end. */
    record Stop() implements Inbound {}

    /** Gives the core what is for it: all but the end, which is the engine's own affair. */
    default void handTo(StageCore core) {
        switch (this) {
            case FromPeer(StageMessage message, long arrivedNanos) ->
                    core.accept(message, arrivedNanos);
            case Start(GenerationStart generation) -> core.start(generation);
            case Cancel(SessionId session, int epoch) -> core.cancel(session, epoch);
            case Rerouted(SessionId session, Reroute answer) -> core.rerouted(session, answer);
            case PeerLost(String workerId, String reason) -> core.peerLost(workerId, reason);
            case Drain() -> core.drain();
            case Leave() -> core.leave();
            case Stop() -> {}
        }
    }
}
