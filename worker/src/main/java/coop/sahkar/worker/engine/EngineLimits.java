package coop.sahkar.worker.engine;

import java.util.concurrent.TimeUnit;

/**
 * Every bound of a stage engine.
 *
 * @param mailboxMessages messages that may wait in the mailbox
 * @param mailboxRows rows that may wait, in the mailbox and behind it
 * @param replayBytes bytes of hidden states sent again to one stage at once; what is left follows
 *     at the next tick
 * @param idleMillis a session that nothing is heard of for this long is dropped, but for stages
 *     whose batches take long. Longer than a head lets a generation stand still; so only sessions
 *     whose end was not heard of are dropped
 * @param stallMillis a generation that no token comes for fails after this long
 * @param askAgainMillis how long a stage waits for positions it asked for before it asks again
 * @param retryAfterMillis what a session is told that finds no room
 * @param closeMillis how long closing the engine waits for a running batch
 */
public record EngineLimits(
        int mailboxMessages,
        int mailboxRows,
        long replayBytes,
        long idleMillis,
        long stallMillis,
        long askAgainMillis,
        int retryAfterMillis,
        long closeMillis) {

    /**
     * How long a stage keeps a session whose route is broken, for a repair to take it over. Longer
     * than a head looks for another route. Where the pool has to heal first, what the stage held is
     * computed again.
     */
    static final long ORPHAN_MILLIS = 15_000;

    /** What a worker runs with. */
    public static final EngineLimits DEFAULT =
            new EngineLimits(4096, 4096, 4L << 20, 60_000, 20_000, 2_000, 1_000, 10_000);

    /** Where batches take long, a session may be idle for so many of them. */
    private static final int IDLE_BATCHES = 32;

    public EngineLimits {
        if (mailboxMessages < 1
                || mailboxRows < 1
                || replayBytes < 1
                || idleMillis < stallMillis
                || stallMillis < 1
                || askAgainMillis < 1
                || retryAfterMillis < 0
                || closeMillis < 1) {
            throw new IllegalArgumentException("engine limits that contradict each other");
        }
    }

    /**
     * How long nothing may be heard of a session.
     *
     * @param batchNanos the slowest batch of late
     */
    long idleNanos(long batchNanos) {
        return Math.max(TimeUnit.MILLISECONDS.toNanos(idleMillis), IDLE_BATCHES * batchNanos);
    }
}
