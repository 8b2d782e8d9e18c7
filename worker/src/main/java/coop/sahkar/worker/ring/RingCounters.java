package coop.sahkar.worker.ring;

import java.util.concurrent.atomic.LongAdder;

/** What the links have seen since the worker started. For metrics; nothing depends on it. */
public final class RingCounters {
    final LongAdder sent = new LongAdder();
    final LongAdder received = new LongAdder();
    final LongAdder violations = new LongAdder();
    final LongAdder refusedSessions = new LongAdder();
    final LongAdder dropped = new LongAdder();
    final LongAdder brokenLinks = new LongAdder();
    final LongAdder refusedPeers = new LongAdder();
    final LongAdder fullMailboxes = new LongAdder();

    /** Messages handed to the network. */
    public long sent() {
        return sent.sum();
    }

    /** Messages that were read and found in order. */
    public long received() {
        return received.sum();
    }

    /** Links ended because the peer broke the protocol. */
    public long violations() {
        return violations.sum();
    }

    /** Sessions not let in: ticket expired, shard not here, no room. */
    public long refusedSessions() {
        return refusedSessions.sum();
    }

    /** Frames, tokens and the like for sessions that are over, or of an older epoch. */
    public long dropped() {
        return dropped.sum();
    }

    /** Links, either way, that ended otherwise than by our closing them. */
    public long brokenLinks() {
        return brokenLinks.sum();
    }

    /** Handshakes that failed and calls not let through, since the peer's certificate is wrong. */
    public long refusedPeers() {
        return refusedPeers.sum();
    }

    /** Times a stage's mailbox was full, so that reading from a peer paused. */
    public long fullMailboxes() {
        return fullMailboxes.sum();
    }
}
