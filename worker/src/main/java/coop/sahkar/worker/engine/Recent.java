package coop.sahkar.worker.engine;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/** The latest durations of one kind, for an exact median. One thread records, any thread reads. */
final class Recent {
    private static final int KEPT = 256;

    private final AtomicLongArray nanos = new AtomicLongArray(KEPT);
    private final AtomicLong count = new AtomicLong();

    void record(long duration) {
        long written = count.get();
        nanos.set((int) (written % KEPT), duration);
        count.set(written + 1);
    }

    /** The median in microseconds; 0 when there is none. */
    int medianMicros() {
        long[] seen = new long[(int) Math.min(KEPT, count.get())];
        if (seen.length == 0) {
            return 0;
        }
        for (int i = 0; i < seen.length; i++) {
            seen[i] = nanos.get(i);
        }
        Arrays.sort(seen);
        return Math.clamp(seen[seen.length / 2] / 1_000, 0, Integer.MAX_VALUE);
    }
}
