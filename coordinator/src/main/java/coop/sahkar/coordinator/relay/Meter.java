package coop.sahkar.coordinator.relay;

/**
 * Holds a stream of pieces to a rate: whoever passed one waits before the next. Nothing is ever
 * dropped. Pure but for its own state; safe for use by many threads.
 */
final class Meter {
    private static final double NANOS = 1e9;

    private final long burstNanos;
    private boolean begun;
    private long freeAtNanos;

    /**
     * @param burstNanos how far a stream that paused may run ahead of its rate
     */
    Meter(long burstNanos) {
        this.burstNanos = burstNanos;
    }

    /**
     * A piece passes.
     *
     * @param nowNanos as {@link System#nanoTime}
     * @return how long to wait before the next, in nanoseconds; 0 for not at all
     */
    synchronized long passed(int bytes, int bytesPerSecond, long nowNanos) {
        long earliest = nowNanos - burstNanos;
        if (!begun || freeAtNanos - earliest < 0) {
            freeAtNanos = earliest;
            begun = true;
        }
        freeAtNanos += (long) (bytes * NANOS / bytesPerSecond);
        return Math.max(0, freeAtNanos - nowNanos);
    }
}
