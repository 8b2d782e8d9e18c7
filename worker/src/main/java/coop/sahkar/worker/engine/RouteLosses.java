package coop.sahkar.worker.engine;

import java.util.Set;
import java.util.TreeSet;

/** Which workers that a session needs were lost on its route: neighbours and head at most. */
final class RouteLosses {
    private final Set<String> workers = new TreeSet<>();
    private long firstNanos;

    /** Whether that one was not lost before. */
    boolean add(String workerId, long nowNanos) {
        if (workers.isEmpty()) {
            firstNanos = nowNanos;
        }
        return workers.add(workerId);
    }

    /** Whether the first was lost longer ago than that. */
    boolean olderThan(long nowNanos, long nanos) {
        return !workers.isEmpty() && nowNanos - firstNanos > nanos;
    }

    /** The session goes another way. */
    void clear() {
        workers.clear();
    }
}
