package coop.sahkar.coordinator.limits;

import coop.sahkar.coordinator.state.Command.NoteDayUsage;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.governance.AccountBook;
import coop.sahkar.governance.DayUsage;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes down, while this coordinator leads, what accounts with a limit per day have used of it.
 * Losing a coordinator costs what was counted since it last did. Callers without a key are left
 * out: their addresses are kept on no disk.
 */
public final class DayLoop implements AutoCloseable {
    /** How much of a day's usage may be forgotten with a coordinator. */
    public static final int INTERVAL_MILLIS = 15_000;

    private static final Logger LOG = LoggerFactory.getLogger(DayLoop.class);

    private final ReplicatedLog log;
    private final LocalAllowances own;
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("day-usage").factory());

    public DayLoop(ReplicatedLog log, LocalAllowances own) {
        this.log = log;
        this.own = own;
    }

    /** Begins. */
    public void start() {
        var _ =
                timer.scheduleWithFixedDelay(
                        this::note, INTERVAL_MILLIS, INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Writes down what is new, if anything is. */
    void note() {
        try {
            SortedMap<String, Long> news = log.leads() ? news() : new TreeMap<>();
            if (!news.isEmpty()) {
                log.propose(new NoteDayUsage(new DayUsage(own.day(), news)))
                        .ifPresent(refusal -> LOG.warn("{}", refusal.message()));
            }
        } catch (LogUnavailableException later) {
            LOG.debug("the day's usage is written down later", later);
        } catch (RuntimeException bug) {
            LOG.error("the day's usage could not be written down", bug);
        }
    }

    private SortedMap<String, Long> news() {
        AccountBook book = log.state().accounts();
        SortedMap<String, Long> news = new TreeMap<>();
        long day = own.day();
        for (UsedSoFar used : own.used()) {
            boolean counts =
                    book.accounts().containsKey(used.account())
                            && book.tierOf(used.account()).tokensPerDay() > 0;
            if (counts && used.tokensToday() > book.dayUsage().tokens(used.account(), day)) {
                news.put(used.account(), used.tokensToday());
            }
        }
        return news;
    }

    /** Ends, and writes down the rest. */
    @Override
    public void close() {
        timer.shutdownNow();
        note();
    }
}
