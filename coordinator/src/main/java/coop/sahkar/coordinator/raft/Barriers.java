package coop.sahkar.coordinator.raft;

import coop.sahkar.coordinator.state.LogUnavailableException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Linearizable reads by entries that change nothing: when one is applied here, so is everything
 * that was acknowledged before it was sent. Whoever waits meanwhile shares the next one.
 *
 * <p>Ratis' own linearizable reads are not enough: a leader asks the others for the first read at
 * an index only (its ReadIndexHeartbeats remembers the highest that was confirmed). One that was
 * cut off, or stopped and went on, while another was elected therefore answers from the past until
 * it notices, about a second later.
 */
final class Barriers {
    private final Runnable barrier;
    private final AtomicLong asked = new AtomicLong();
    private final ReentrantLock turn = new ReentrantLock();
    private long answered; // guarded by turn

    /**
     * @param barrier has an entry written, and returns when it is applied here
     */
    Barriers(Runnable barrier) {
        this.barrier = barrier;
    }

    /** How many wait for their turn. */
    int waiting() {
        return turn.getQueueLength();
    }

    /**
     * Returns when a barrier that was sent after the call is applied here.
     *
     * @throws LogUnavailableException if none could be written in time
     */
    void pass(int timeoutMillis) {
        long mine = asked.incrementAndGet();
        try {
            if (!turn.tryLock(timeoutMillis, TimeUnit.MILLISECONDS)) {
                throw new LogUnavailableException(
                        "no majority of the coordinators could be reached in %d s"
                                .formatted(timeoutMillis / 1000));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LogUnavailableException("interrupted while the log was read", e);
        }
        try {
            if (answered < mine) {
                long all = asked.get();
                barrier.run();
                answered = all;
            }
        } finally {
            turn.unlock();
        }
    }
}
