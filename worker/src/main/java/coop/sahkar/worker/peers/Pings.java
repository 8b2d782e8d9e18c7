package coop.sahkar.worker.peers;

import java.util.List;
import java.util.OptionalLong;

/** Sends pings. Used by one thread. */
interface Pings extends AutoCloseable {
    /**
     * The shortest of a few round trips, in nanoseconds; empty when the peer does not answer, or
     * somebody else does. Waits for it.
     */
    OptionalLong roundTripNanos(PeerAddress peer);

    /** Lets go of connections to all but these. */
    void keepOnly(List<PeerAddress> peers);

    @Override
    void close();
}
