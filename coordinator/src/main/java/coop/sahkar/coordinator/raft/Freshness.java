package coop.sahkar.coordinator.raft;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows how old the state here may be. Whenever nothing else has shown for a while that a majority
 * is reached, it asks. Thread-safe.
 */
final class Freshness implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Freshness.class);
    private static final int ASK_MILLIS = 5_000;

    private final Runnable ask;
    private final AtomicLong knownNanos = new AtomicLong(System.nanoTime());
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("sahkar-freshness").factory());

    /**
     * @param ask asks a majority, and has {@link #known} called if it answers
     */
    Freshness(Runnable ask) {
        this.ask = ask;
    }

    /** Begins to ask. */
    void start() {
        var _ =
                thread.scheduleWithFixedDelay(
                        this::look, ASK_MILLIS, ASK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void look() {
        try {
            if (ageMillis() >= ASK_MILLIS) {
                ask.run();
            }
        } catch (RuntimeException e) {
            LOG.debug("a majority could not be asked", e);
        }
    }

    /** Everything that was acknowledged anywhere before a moment is in the state here. */
    void known(long asOfNanos) {
        knownNanos.accumulateAndGet(asOfNanos, (old, now) -> now - old > 0 ? now : old);
    }

    /** For how long the state here may have been outdated. */
    long ageMillis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - knownNanos.get());
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
