package coop.sahkar.proto;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The time, where somebody may set the system's clock. What has a duration is timed by a clock that
 * nobody sets. What is agreed with others, as until when a ticket lets somebody in, needs Unix
 * time; there a jump is believed only after an hour, and until then whoever asks says which of the
 * two times does no harm. Thread-safe.
 */
public final class PoolClock {
    /** A difference that lasts for so long is no mistake. */
    static final long BELIEVED_MILLIS = TimeUnit.HOURS.toMillis(1);

    /** Smaller ones are clocks being adjusted. */
    private static final long TOLERATED_MILLIS = 2_000;

    private final LongSupplier unixMillis;
    private final LongSupplier monotonicMillis;
    private final long first;
    private long steadyMinusMonotonic; // guarded by this
    private boolean jumped; // guarded by this
    private long jumpedAt; // guarded by this, by the clock that nobody sets

    /**
     * @param unixMillis the system's clock
     * @param monotonicMillis one that only goes forward, from anywhere
     */
    public PoolClock(LongSupplier unixMillis, LongSupplier monotonicMillis) {
        this.unixMillis = unixMillis;
        this.monotonicMillis = monotonicMillis;
        this.first = unixMillis.getAsLong() - monotonicMillis.getAsLong();
        this.steadyMinusMonotonic = first;
    }

    /** This machine's. */
    public static PoolClock system() {
        return new PoolClock(
                System::currentTimeMillis, () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()));
    }

    /** One time for everything, as in a world without jumps. */
    public static PoolClock of(LongSupplier millis) {
        return new PoolClock(millis, millis);
    }

    /** For durations: goes forward only, whatever becomes of the system's clock. */
    public long monotonicMillis() {
        return first + monotonicMillis.getAsLong();
    }

    /** Unix time, rather too early than too late: for what must not be over before its time. */
    public long earliestUnixMillis() {
        long set = unixMillis.getAsLong();
        return Math.min(set, steady(set));
    }

    /** Unix time, rather too late than too early: for what is to last long enough from now on. */
    public long latestUnixMillis() {
        long set = unixMillis.getAsLong();
        return Math.max(set, steady(set));
    }

    private synchronized long steady(long set) {
        long now = monotonicMillis.getAsLong();
        long difference = set - (now + steadyMinusMonotonic);
        if (Math.abs(difference) <= TOLERATED_MILLIS) {
            jumped = false;
            steadyMinusMonotonic += difference;
        } else if (!jumped) {
            jumped = true;
            jumpedAt = now;
        } else if (now - jumpedAt >= BELIEVED_MILLIS) {
            jumped = false;
            steadyMinusMonotonic += difference;
        }
        return now + steadyMinusMonotonic;
    }
}
