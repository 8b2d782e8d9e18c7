package coop.sahkar.worker.agent;

import java.util.random.RandomGenerator;

/**
 * How long to wait before the next try: longer each time, never beyond a bound, and never the same
 * for all workers at once.
 *
 * @param firstMillis after the first failure
 * @param maxMillis at most
 */
public record Backoff(long firstMillis, long maxMillis) {
    private static final int MAX_DOUBLINGS = 30;

    public Backoff {
        if (firstMillis < 1 || maxMillis < firstMillis) {
            throw new IllegalArgumentException("not a backoff: " + firstMillis + ", " + maxMillis);
        }
    }

    /**
     * Between half of the doubled wait and all of it.
     *
     * @param failures how many there were in a row, at least 1
     */
    public long millis(int failures, RandomGenerator random) {
        int doublings = Math.min(failures - 1, MAX_DOUBLINGS);
        long most = Math.min(maxMillis, firstMillis << doublings);
        long wait = most > 0 ? most : maxMillis;
        return wait / 2 + random.nextLong(wait / 2 + 1);
    }
}
