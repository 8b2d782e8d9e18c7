package coop.sahkar.coordinator.liveness;

import java.util.List;

/**
 * How one worker fares, as far as this coordinator knows.
 *
 * @param workerId its id
 * @param standing whether it is here
 * @param lastHeardMillis when it was last heard of, on the caller's monotonic clock
 * @param shards its shards as last reported; empty unless it is here
 * @param generation newest placement generation it said it has seen
 * @param drawnSessions sessions routed over it since its last report
 * @param drawnPositions KV positions those sessions may take
 * @param reach how other workers reach it
 * @param relayEndpoint where this coordinator relays to it; empty when it does not
 */
public record WorkerPresence(
        String workerId,
        Standing standing,
        long lastHeardMillis,
        List<ShardStatus> shards,
        long generation,
        int drawnSessions,
        long drawnPositions,
        Reach reach,
        String relayEndpoint) {

    /** Whether a worker is here. */
    public enum Standing {
        /** Its stream is open and it reports: sessions may go there. */
        HERE,
        /** Its stream broke a moment ago: no new sessions, but its place is kept. */
        BROKEN_OFF,
        /**
         * Not heard of since this coordinator started, which is a moment ago: its place is kept.
         */
        AWAITED,
        /** It left, or was silent for too long. */
        GONE
    }

    /** How a worker is reached. */
    public enum Reach {
        /** At the endpoint it names. */
        DIRECT,
        /** Its endpoint is being tried: no route goes there yet. */
        TESTING,
        /** Its endpoint does not answer; it has opened a relay. */
        RELAYED,
        /** Its endpoint does not answer, and it has not opened a relay. */
        UNREACHABLE
    }

    /** A worker that is reached where it says. */
    public WorkerPresence(
            String workerId,
            Standing standing,
            long lastHeardMillis,
            List<ShardStatus> shards,
            long generation,
            int drawnSessions,
            long drawnPositions) {
        this(
                workerId,
                standing,
                lastHeardMillis,
                shards,
                generation,
                drawnSessions,
                drawnPositions,
                Reach.DIRECT,
                "");
    }

    public WorkerPresence {
        shards = List.copyOf(shards);
    }

    /** Whether the placement counts on it. */
    public boolean keepsItsPlace() {
        return standing != Standing.GONE;
    }
}
