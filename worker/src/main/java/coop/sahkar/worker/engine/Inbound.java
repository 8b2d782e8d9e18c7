package coop.sahkar.worker.engine;

import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.head.GenerationStart;

/** What lies in an engine's mailbox. */
sealed interface Inbound {

    /** A message from a peer, and when it came. */
    record FromPeer(StageMessage message, long arrivedNanos) implements Inbound {}

    /** A generation to run from this head. */
    record Start(GenerationStart generation) implements Inbound {}

    /** A generation that nobody wants any more. */
    record Cancel(SessionId session) implements Inbound {}

    /** A link that broke. */
    record PeerLost(String workerId, String reason) implements Inbound {}

    /** No new sessions from here on. */
    record Drain() implements Inbound {}

    /** The end. */
    record Stop() implements Inbound {}
}
