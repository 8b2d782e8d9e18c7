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
 * @param shards its shards as last reported; empty unless it is here
 * @param generation newest placement generation it said it has seen
 * @param unreported by model, what its last report does not say yet
 */
public record WorkerPresence(
        String workerId,
        Standing standing,
        long lastHeardMillis,
        List<ShardStatus> shards,
        long generation,
        SortedMap<String, Unreported> unreported) {

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

    public WorkerPresence {
        shards = List.copyOf(shards);
        unreported = Collections.unmodifiableSortedMap(unreported);
    }

    /** What its last report does not say yet of one model's sessions. */
    public Unreported unreported(String modelId) {
        return unreported.getOrDefault(modelId, Unreported.NONE);
    }

    /** Whether the placement counts on it. */
    public boolean keepsItsPlace() {
        return standing != Standing.GONE;
    }
}
