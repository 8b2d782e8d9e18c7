package coop.sahkar.worker.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The bytes that all boundary logs of one stage share. When they run out, the fullest log gives;
 * those of sessions that rest give before those of sessions that run.
 */
final class LogBudget {
    private static final Comparator<BoundaryLog> GIVES_LAST_TO_FIRST =
            Comparator.comparing(BoundaryLog::rests).thenComparingLong(BoundaryLog::bytes);

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
            logs.stream()
                    .filter(log -> log.bytes() > 0)
                    .max(GIVES_LAST_TO_FIRST)
                    .orElseThrow()
                    .evict();
        }
    }

    long bytes() {
        return bytes;
    }
}
