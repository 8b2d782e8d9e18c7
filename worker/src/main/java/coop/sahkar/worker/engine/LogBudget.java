package coop.sahkar.worker.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The bytes that all boundary logs of one stage share. When they run out, the fullest log gives.
 */
final class LogBudget {
    private final long capacity;
    private final List<BoundaryLog> logs = new ArrayList<>();
    private long bytes;

    LogBudget(long capacity) {
        this.capacity = capacity;
    }

    void join(BoundaryLog log) {
        logs.add(log);
    }

    void leave(BoundaryLog log) {
        logs.remove(log);
    }

    /** Counts bytes a log has taken (or, negative, given back). */
    void count(long change) {
        bytes += change;
    }

    /** Evicts until all fit again. */
    void settle() {
        while (bytes > capacity) {
            logs.stream().max(Comparator.comparingLong(BoundaryLog::bytes)).orElseThrow().evict();
        }
    }

    long bytes() {
        return bytes;
    }
}
