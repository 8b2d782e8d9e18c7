package coop.sahkar.client.routing;

import java.util.ArrayList;
import java.util.List;

/**
 * What was spent lately, in buckets of time. A bucket counts until its youngest entry is out of the
 * window, so no stretch of that length ever sees more than the limit.
 *
 * @param spanMillis length of the window
 * @param bucketMillis length of a bucket
 * @param entries oldest first; at most span / bucket + 2
 */
record Window(long spanMillis, long bucketMillis, List<Entry> entries) {
    /** Later than any time. */
    static final long NEVER = Long.MAX_VALUE;

    /**
     * A bucket.
     *
     * @param startMillis when it begins
     * @param amount spent in it
     */
    record Entry(long startMillis, long amount) {}

    Window {
        entries = List.copyOf(entries);
    }

    static Window minute() {
        return new Window(60_000, 1_000, List.of());
    }

    static Window day() {
        return new Window(24 * 3_600_000L, 600_000, List.of());
    }

    /** With more spent. */
    Window plus(long amount, long nowMillis) {
        if (amount == 0) {
            return this;
        }
        long start = Math.floorDiv(nowMillis, bucketMillis) * bucketMillis;
        List<Entry> kept = new ArrayList<>(entries.size() + 1);
        long added = amount;
        for (Entry entry : entries) {
            if (entry.startMillis == start) {
                added += entry.amount;
            } else if (endOf(entry) > nowMillis) {
                kept.add(entry);
            }
        }
        kept.add(new Entry(start, added));
        return new Window(spanMillis, bucketMillis, kept);
    }

    /**
     * Puts an estimate right. What was too much is given back where it was taken, so that it does
     * not outlive what it corrects; what was too little is spent now.
     */
    Window corrected(long amount, long takenMillis, long nowMillis) {
        if (amount >= 0) {
            return plus(amount, nowMillis);
        }
        long start = Math.floorDiv(takenMillis, bucketMillis) * bucketMillis;
        return new Window(
                spanMillis,
                bucketMillis,
                entries.stream()
                        .map(e ->
                                e.startMillis == start
                                        ? new Entry(start, Math.max(0, e.amount + amount))
                                        : e)
                        .toList());
    }

    /** What counts at a time. */
    long spent(long nowMillis) {
        return entries.stream().filter(e -> endOf(e) > nowMillis).mapToLong(Entry::amount).sum();
    }

    /**
     * When so much more fits under a limit.
     *
     * @param limit 0: none
     * @return the time, now or later; {@link #NEVER} if it is more than the limit by itself
     */
    long roomAt(long limit, long amount, long nowMillis) {
        if (limit == 0) {
            return nowMillis;
        }
        if (amount > limit) {
            return NEVER;
        }
        long over = spent(nowMillis) + amount - limit;
        long at = nowMillis;
        for (Entry entry : entries) {
            if (over <= 0) {
                break;
            }
            if (endOf(entry) > nowMillis) {
                over -= entry.amount;
                at = endOf(entry);
            }
        }
        return at;
    }

    private long endOf(Entry entry) {
        return entry.startMillis + bucketMillis + spanMillis;
    }
}
