package coop.sahkar.coordinator.usage;

import coop.sahkar.coordinator.state.Command.PostUsage;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.governance.ledger.UsageBatch;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings what was counted to the log: every so often, and a last time at the end. One thread owns
 * it. What the log does not take stays in the book and goes with the next round.
 */
public final class UsageLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(UsageLoop.class);
    private static final int LOOK_MILLIS = 100;
    private static final int END_SECONDS = 10;

    /** Batches of one round; there is more than one only after the log was away. */
    private static final int MAX_BATCHES = UsageBook.MAX_SHEETS + 1;

    private final String coordinator;
    private final ReplicatedLog log;
    private final UsageBook book;
    private final LongSupplier unixMillis;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("sahkar-usage").factory());
    private long writtenNanos = System.nanoTime();

    /**
     * @param coordinator this coordinator's id
     * @param unixMillis the time that batches bear
     */
    public UsageLoop(
            String coordinator, ReplicatedLog log, UsageBook book, LongSupplier unixMillis) {
        this.coordinator = coordinator;
        this.log = log;
        this.book = book;
        this.unixMillis = unixMillis;
    }

    /** Begins. */
    public void start() {
        var _ =
                thread.scheduleWithFixedDelay(
                        this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void look() {
        long sinceMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - writtenNanos);
        if (sinceMillis >= pauseMillis(log.state().policy().ledger().usageIntervalMillis())) {
            writtenNanos = System.nanoTime();
            write();
        }
    }

    /** Tokens are held back in their meter first: both together are the interval. */
    private static int pauseMillis(int intervalMillis) {
        return Math.max(LOOK_MILLIS, intervalMillis - UsageMeter.HOLD_MILLIS - LOOK_MILLIS);
    }

    private void write() {
        try {
            for (int i = 0; i < MAX_BATCHES; i++) {
                Optional<UsageBatch> batch = book.next(lastSequence(), unixMillis.getAsLong());
                if (batch.isEmpty()) {
                    return;
                }
                settled(batch.get(), log.propose(new PostUsage(batch.get())));
            }
        } catch (LogUnavailableException e) {
            LOG.warn("usage could not be posted and will be tried again: {}", e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("posting usage failed and will be tried again", e);
        }
    }

    private long lastSequence() {
        return log.state().ledger().lastSequence(coordinator);
    }

    private void settled(UsageBatch batch, Optional<Refusal> refusal) {
        if (refusal.isEmpty()) {
            book.done();
        } else if (refusal.get().reason() == Refusal.Reason.STALE) {
            book.outOfTurn(lastSequence());
        } else {
            LOG.error(
                    "usage batch {} is refused and dropped: {}",
                    batch.sequence(),
                    refusal.get().message());
            book.done();
        }
    }

    /** Writes what is left, if the log takes it. */
    @Override
    public void close() {
        if (!thread.isShutdown() && !log.leaderId().isEmpty()) {
            thread.execute(this::write);
        }
        thread.shutdown();
        try {
            if (!thread.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("the last usage could not be posted in time");
                thread.shutdownNow();
            }
        } catch (InterruptedException _) {
            thread.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
