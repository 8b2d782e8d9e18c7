package coop.sahkar.worker.store;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Decides whom to ask next for a piece. The fastest source that is not resting is asked; this
 * machine's own store comes before all, and sources never tried before those that were; a speed is
 * shared by those who use the source at the same time. A source that fails rests, longer each time,
 * and is given up in the end; one that gave false bytes is given up at once.
 *
 * <p>No I/O and no clock: callers pass the time. Safe for use by many threads.
 */
final class SourceBoard {
    private static final double NEW_SHARE = 0.5;
    private static final double UNTRIED = Double.MAX_VALUE / 2;

    private final List<Row> rows = new ArrayList<>();
    private final FetchPolicy policy;

    /** What to do for a piece. */
    sealed interface Choice {
        /** Ask this source; {@link #ended} must be called afterwards. */
        record Ask(Source source) implements Choice {}

        /** All that could be asked are resting until then. */
        record Rest(long untilNanos) implements Choice {}

        /** Nobody is left; why, in a sentence. */
        record Nobody(String why) implements Choice {}
    }

    private static final class Row {
        final Source source;
        final Set<String> lacking = new HashSet<>();
        double bytesPerSecond;
        int active;
        int failuresInRow;
        long restsUntilNanos;
        boolean resting;
        boolean givenUp;
        String lastFailure = "";

        Row(Source source) {
            this.source = source;
        }

        boolean rests(long nowNanos) {
            return resting && nowNanos - restsUntilNanos < 0;
        }

        double share(double best) {
            if (source.local()) {
                return Double.MAX_VALUE;
            }
            if (bytesPerSecond == 0) {
                return active == 0 ? UNTRIED : best / (active + 1);
            }
            return bytesPerSecond / (active + 1);
        }
    }

    SourceBoard(List<? extends Source> sources, FetchPolicy policy) {
        sources.forEach(source -> rows.add(new Row(source)));
        this.policy = policy;
    }

    /** Whom to ask for {@code piece}. */
    synchronized Choice choose(Piece piece, long nowNanos) {
        List<Row> able =
                rows.stream()
                        .filter(row -> !row.givenUp && !row.lacking.contains(piece.name()))
                        .toList();
        if (able.isEmpty()) {
            return new Choice.Nobody(why(piece));
        }
        double best = able.stream().mapToDouble(row -> row.bytesPerSecond).max().orElse(0);
        Row chosen = null;
        for (Row row : able) {
            if (!row.rests(nowNanos) && (chosen == null || row.share(best) > chosen.share(best))) {
                chosen = row;
            }
        }
        if (chosen == null) {
            long soonest =
                    able.stream().mapToLong(row -> row.restsUntilNanos - nowNanos).min().orElse(0);
            return new Choice.Rest(nowNanos + soonest);
        }
        chosen.active++;
        return new Choice.Ask(chosen.source);
    }

    /** A read that {@link #choose} began is over, well or not; {@code bytes} came. */
    synchronized void ended(Source source, long bytes, long nanos) {
        Row row = row(source);
        row.active--;
        if (bytes > 0) {
            double seconds = Math.max(1, nanos) / (double) TimeUnit.SECONDS.toNanos(1);
            double now = bytes / seconds * (row.active + 1);
            row.bytesPerSecond =
                    row.bytesPerSecond == 0
                            ? now
                            : NEW_SHARE * now + (1 - NEW_SHARE) * row.bytesPerSecond;
        }
    }

    /** A read gave all it should. */
    synchronized void succeeded(Source source) {
        Row row = row(source);
        row.failuresInRow = 0;
        row.resting = false;
    }

    /** A read failed in a way that may pass. Failures while the source rests count as one. */
    synchronized void failed(Source source, String why, long nowNanos) {
        Row row = row(source);
        row.lastFailure = why;
        if (row.rests(nowNanos)) {
            return;
        }
        row.failuresInRow++;
        row.givenUp |= row.failuresInRow >= policy.failuresPerSource();
        row.resting = true;
        row.restsUntilNanos =
                nowNanos + TimeUnit.MILLISECONDS.toNanos(policy.backoffMillis(row.failuresInRow));
    }

    /** The source will never serve this model rightly. */
    synchronized void giveUp(Source source, String why) {
        Row row = row(source);
        row.givenUp = true;
        row.lastFailure = why;
    }

    /** The source does not hold this piece. */
    synchronized void lacks(Source source, Piece piece) {
        row(source).lacking.add(piece.name());
    }

    /**
     * Whether a read in progress should move to a faster source.
     *
     * @param bytes what it has brought so far
     * @param nanos how long it has taken
     */
    synchronized boolean tooSlow(
            Source source, Piece piece, long bytes, long nanos, long nowNanos) {
        if (nanos < TimeUnit.MILLISECONDS.toNanos(policy.judgeAfterMillis())) {
            return false;
        }
        double rate = bytes / (nanos / (double) TimeUnit.SECONDS.toNanos(1));
        return rows.stream()
                .filter(row -> !row.source.equals(source) && !row.givenUp && !row.rests(nowNanos))
                .filter(row -> !row.lacking.contains(piece.name()))
                .anyMatch(row ->
                        row.bytesPerSecond / (row.active + 1) > rate * policy.tooSlowFactor());
    }

    private Row row(Source source) {
        return rows.stream().filter(row -> row.source.equals(source)).findFirst().orElseThrow();
    }

    private String why(Piece piece) {
        if (rows.isEmpty()) {
            return "no source is known for the model";
        }
        List<String> reasons = new ArrayList<>();
        for (Row row : rows) {
            if (!row.source.address().isEmpty()) {
                String reason =
                        row.givenUp ? row.lastFailure : "it does not hold " + piece.described();
                reasons.add(row.source.address() + ": " + reason);
            }
        }
        return String.join("; ", reasons);
    }
}
