package coop.sahkar.coordinator.limits;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Counts what was used in the last minute, in slices: what came in a slice leaves with its end, so
 * that in no 60 seconds more passes than is allowed, and at most a slice later than it could. Not
 * thread-safe.
 */
final class SlidingWindow {
    /** What the window looks back on. */
    static final int SPAN_MILLIS = 60_000;

    /** Half a second late in sixty is under one part in a hundred. */
    static final int SLICE_MILLIS = 500;

    private static final class Slice {
        final long number;
        long count;

        Slice(long number) {
            this.number = number;
        }

        /** When it is no longer in the window. */
        long endMillis() {
            return (number + 1) * SLICE_MILLIS + SPAN_MILLIS;
        }
    }

    private final Deque<Slice> slices = new ArrayDeque<>();
    private long total;

    /** Counts something; a count of 0 or less changes nothing. */
    void add(long count, long nowMillis) {
        forget(nowMillis);
        if (count <= 0) {
            return;
        }
        long number = Math.floorDiv(nowMillis, SLICE_MILLIS);
        Slice last = slices.peekLast();
        if (last == null || last.number < number) {
            last = new Slice(number);
            slices.addLast(last);
        }
        last.count += count;
        total += count;
    }

    /** Takes back what was counted at a time, unless that is past. */
    void takeBack(long count, long countedMillis, long nowMillis) {
        forget(nowMillis);
        long number = Math.floorDiv(countedMillis, SLICE_MILLIS);
        for (Slice slice : slices) {
            if (slice.number == number) {
                long back = Math.clamp(count, 0, slice.count);
                slice.count -= back;
                total -= back;
            }
        }
    }

    /** What was used in the last minute. */
    long used(long nowMillis) {
        forget(nowMillis);
        return total;
    }

    /** In how many milliseconds at most {@code most} will be left of what is counted now. */
    long millisUntilAtMost(long most, long nowMillis) {
        forget(nowMillis);
        long left = total;
        for (Slice slice : slices) {
            if (left <= most) {
                break;
            }
            left -= slice.count;
            if (left <= most) {
                return slice.endMillis() - nowMillis;
            }
        }
        return 0;
    }

    private void forget(long nowMillis) {
        while (!slices.isEmpty() && slices.getFirst().endMillis() <= nowMillis) {
            total -= slices.removeFirst().count;
        }
    }
}
