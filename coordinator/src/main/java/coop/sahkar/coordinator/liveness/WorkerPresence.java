package coop.sahkar.coordinator.liveness;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;

/**
 * How one worker fares, as far as this coordinator knows.
 *
 * @param workerId its id
 * @param standing whether it is here
 * @param lastHeardMillis when it was last heard of, on the caller's monotonic clock
 * @param shards its shards as last reported; one that is not here has none
 * @param generation newest placement generation it said it has seen
 * @param unreported by model, what its last report does not say yet
 * @param reach how other workers reach it
 * @param relayEndpoint where this coordinator relays to it; empty when it does not
 */
public record WorkerPresence(
        String workerId,
        Standing standing,
        long lastHeardMillis,
        List<ShardStatus> shards,
        long generation,
        SortedMap<String, Unreported> unreported,
        Reach reach,
        String relayEndpoint) {

    /** Whether a worker is here. */
    public enum Standing {
        /** Its stream is open and it reports: sessions may go there. */
        HERE,
        /** Its stream broke a moment ago: no new sessions, but its place is kept. */
        BROKEN_OFF,
        /**
         * Never heard of by this coordinator, which started or took the lead a moment ago: its
         * place is kept.
         */
        AWAITED,
        /** It is about to leave: it serves what nobody else does yet, and hands over the rest. */
        LEAVING,
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
            SortedMap<String, Unreported> unreported) {
        this(workerId, standing, lastHeardMillis, shards, generation, unreported, Reach.DIRECT, "");
    }

    public WorkerPresence {
        shards = List.copyOf(shards);
        unreported = Collections.unmodifiableSortedMap(unreported);
    }

    /** What its last report does not say yet of one model's sessions. */
    public Unreported unreported(String modelId) {
        return unreported.getOrDefault(modelId, Unreported.NONE);
    }

    /** Whether what it is said to hold was heard from itself. */
    public boolean reports() {
        return standing == Standing.HERE || standing == Standing.LEAVING;
    }

    /** Whether the placement counts on it. */
    public boolean keepsItsPlace() {
        return standing != Standing.GONE && standing != Standing.LEAVING;
    }
}
