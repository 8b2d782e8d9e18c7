package coop.sahkar.worker.engine;

import coop.sahkar.worker.engine.StageMessage.Token;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What a stage counts. The engine's thread writes, any thread reads. */
final class StageMeter {
    /** How long the interval is that {@link StageStats#decodeMicros} looks back on. */
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** Batches after which their usual time is known. */
    private static final int USUAL_AFTER = 16;

    /** The usual time follows slowly: over about so many batches. */
    private static final int USUAL_OVER = 256;

    /** A batch of so many rows tells what rows take that come together. */
    private static final int PREFILL_ROWS = 8;

    final AtomicLong dropped = new AtomicLong();
    final AtomicLong waited = new AtomicLong();
    final AtomicLong asked = new AtomicLong();
    final AtomicLong resent = new AtomicLong();
    final AtomicLong repairs = new AtomicLong();
    final AtomicLong reopened = new AtomicLong();
    final AtomicLong rowsAgain = new AtomicLong();
    final AtomicLong rowsReused = new AtomicLong();
    final AtomicLong moved = new AtomicLong();
    final AtomicLong notMoved = new AtomicLong();
    final AtomicLong rowsMoved = new AtomicLong();
    final AtomicInteger sessions = new AtomicInteger();
    final AtomicInteger kvReserved = new AtomicInteger();
    final AtomicInteger resting = new AtomicInteger();
    final AtomicInteger restingCells = new AtomicInteger();
    final AtomicLong restingBytes = new AtomicLong();

    private final AtomicLong rows = new AtomicLong();
    private final AtomicLong batches = new AtomicLong();
    private final Histogram hops = new Histogram();
    private final Recent loneDecodes = new Recent();
    private final Recent loneTokens = new Recent();
    private final Recent loneOutsides = new Recent();
    private volatile Interval interval = new Interval(0, 0, 0);
    private long computedNanos;
    private @Nullable StageSession loneSession;
    private long loneBeganNanos;
    private int loneComputedMicros;

    // Of the engine's thread only.
    private long slowestNanos;
    private long slowestBeforeNanos;
    private long slowestSinceNanos;
    private int lastDecodeMicros;
    private double usualDecodeMicros;
    private int decodes;
    private long prefillRowNanos;

    /** Decode batches of one interval. */
    private record Interval(long endNanos, long batches, long nanos) {}

    /** A batch was computed and its results were sent. */
    void batch(List<Slice> slices, long beganNanos, long doneNanos, long sentNanos) {
        batches.incrementAndGet();
        boolean decodeOnly = true;
        int count = 0;
        for (Slice slice : slices) {
            count += slice.count();
            if (slice.count() == 1 && slice.wantToken()) {
                long free = Math.max(slice.arrivedNanos(), computedNanos);
                long outside = (sentNanos - free) - (doneNanos - beganNanos);
                hops.record(TimeUnit.NANOSECONDS.toMicros(outside));
            } else {
                decodeOnly = false;
            }
        }
        rows.addAndGet(count);
        if (count >= PREFILL_ROWS) {
            prefillRowNanos = (doneNanos - beganNanos) / count;
        }
        computedNanos = doneNanos;
        timed(doneNanos, doneNanos - beganNanos);
        if (decodeOnly) {
            decoded(doneNanos, doneNanos - beganNanos);
        }
        lone(decodeOnly && slices.size() == 1 ? slices.getFirst() : null, beganNanos, doneNanos);
    }

    /** A token of a session that has the stage for itself, or null when the batch was another. */
    private void lone(@Nullable Slice slice, long beganNanos, long doneNanos) {
        if (slice == null || sessions.get() != 1) {
            loneSession = null;
            return;
        }
        if (slice.session() == loneSession) {
            loneDecodes.record(doneNanos - beganNanos);
            loneTokens.record(beganNanos - loneBeganNanos);
            if (loneComputedMicros > 0) {
                long computed = TimeUnit.MICROSECONDS.toNanos(loneComputedMicros);
                loneOutsides.record(beganNanos - loneBeganNanos - computed);
            }
        }
        loneSession = slice.session();
        loneBeganNanos = beganNanos;
        loneComputedMicros = 0;
    }

    /** A token came round to the head; the engine's thread only. */
    void came(StageSession session, Token token) {
        if (session == loneSession) {
            loneComputedMicros = token.computedMicros();
        }
    }

    /** The slowest batch of the last while; the engine's thread only. */
    long slowestBatchNanos(long nowNanos) {
        timed(nowNanos, 0);
        return Math.max(slowestNanos, slowestBeforeNanos);
    }

    /** Time of the last batch of decode rows; the engine's thread only. */
    int lastDecodeMicros() {
        return lastDecodeMicros;
    }

    /** What a row of a prompt took of late; {@code unknown} before the first. */
    long prefillRowNanos(long unknown) {
        return prefillRowNanos == 0 ? unknown : prefillRowNanos;
    }

    /** What such a batch takes as a rule, known after a few; the engine's thread only. */
    int usualDecodeMicros() {
        return decodes < USUAL_AFTER ? 0 : (int) usualDecodeMicros;
    }

    private void timed(long nowNanos, long nanos) {
        if (nowNanos - slowestSinceNanos > INTERVAL_NANOS) {
            slowestBeforeNanos = slowestNanos;
            slowestNanos = 0;
            slowestSinceNanos = nowNanos;
        }
        slowestNanos = Math.max(slowestNanos, nanos);
    }

    StageStats read(int kvCells, int queuedRows, long nowNanos) {
        Interval seen = interval;
        boolean old = seen.batches == 0 || nowNanos - seen.endNanos > INTERVAL_NANOS;
        long mean = old ? 0 : seen.nanos / seen.batches;
        return new StageStats(
                kvCells,
                kvReserved.get(),
                sessions.get(),
                queuedRows,
                (int) Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMicros(mean)),
                rows.get(),
                rowsAgain.get(),
                batches.get(),
                dropped.get(),
                waited.get(),
                asked.get(),
                resent.get(),
                reopened.get(),
                repairs.get(),
                hops.count(),
                hops.quantile(0.5),
                hops.quantile(0.99),
                loneDecodes.medianMicros(),
                loneTokens.medianMicros(),
                loneOutsides.medianMicros(),
                resting.get(),
                restingCells.get(),
                restingBytes.get(),
                rowsReused.get(),
                moved.get(),
                rowsMoved.get(),
                notMoved.get());
    }

    private void decoded(long nowNanos, long nanos) {
        lastDecodeMicros = (int) Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMicros(nanos));
        decodes = Math.min(USUAL_OVER, decodes + 1);
        usualDecodeMicros += (lastDecodeMicros - usualDecodeMicros) / decodes;
        Interval running = interval;
        boolean fresh = running.batches == 0 || nowNanos >= running.endNanos;
        interval =
                fresh
                        ? new Interval(nowNanos + INTERVAL_NANOS, 1, nanos)
                        : new Interval(
                                running.endNanos, running.batches + 1, running.nanos + nanos);
    }
}
