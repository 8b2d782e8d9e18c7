package coop.sahkar.worker.engine;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts durations in buckets that grow by an eighth or less of their octave, so that a quantile is
 * right within 13 percent. One thread records, any thread reads.
 */
final class Histogram {
    private static final int STEPS_LOG2 = 3;
    private static final int STEPS = 1 << STEPS_LOG2;
    private static final int BUCKETS = (Integer.SIZE - STEPS_LOG2) * STEPS;

    private final AtomicLongArray counts = new AtomicLongArray(BUCKETS);

    /** Counts one duration; negative ones count as 0. */
    void record(long micros) {
        counts.incrementAndGet(bucketOf(Math.clamp(micros, 0, Integer.MAX_VALUE)));
    }

    long count() {
        long all = 0;
        for (int i = 0; i < BUCKETS; i++) {
            all += counts.get(i);
        }
        return all;
    }

    /** The duration that the given share of all does not exceed; 0 when there is none. */
    int quantile(double share) {
        long wanted = (long) Math.ceil(share * count());
        long seen = 0;
        for (int i = 0; i < BUCKETS && wanted > 0; i++) {
            seen += counts.get(i);
            if (seen >= wanted) {
                return highestOf(i);
            }
        }
        return 0;
    }

    private static int bucketOf(int micros) {
        if (micros < STEPS) {
            return micros;
        }
        int octave = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(micros) - STEPS_LOG2;
        return octave * STEPS + (micros >>> octave);
    }

    private static int highestOf(int bucket) {
        if (bucket < 2 * STEPS) {
            return bucket;
        }
        int octave = bucket / STEPS - 1;
        long lowest = (long) (bucket - octave * STEPS) << octave;
        return (int) Math.min(Integer.MAX_VALUE, lowest + (1L << octave) - 1);
    }
}
