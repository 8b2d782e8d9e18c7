package coop.sahkar.worker.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the boundary logs of one stage take of the worker's room. When it runs out, the fullest log
 * gives; those of sessions that rest give before those of sessions that run.
 */
final class LogBudget {
    private static final Comparator<BoundaryLog> GIVES_LAST_TO_FIRST =
            Comparator.comparing(BoundaryLog::rests).thenComparingLong(BoundaryLog::bytes);

    private final LogRoom room;
    private final List<BoundaryLog> logs = new ArrayList<>();
    private long bytes;

    LogBudget(LogRoom room) {
        this.room = room;
    }

    void join(BoundaryLog log) {
        if (logs.isEmpty()) {
            room.stageJoins();
        }
        logs.add(log);
    }

    void leave(BoundaryLog log) {
        if (logs.remove(log) && logs.isEmpty()) {
            room.stageLeaves();
        }
    }

    /** A place on disk for one log; null where there is none. */
    @Nullable LogFile file() {
        return room.file();
    }

    /** Counts bytes a log has taken (or, negative, given back). */
    void count(long change) {
        bytes += change;
        room.count(change);
    }

    /** Evicts from memory until all fit again. */
    void settle() {
        while (room.crowded(bytes)) {
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
