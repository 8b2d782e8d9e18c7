package coop.sahkar.coordinator.limits;

import coop.sahkar.coordinator.state.PoolView;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;

/**
 * Limits as this coordinator counts them: soft state. Losing it, as when another leads from now on,
 * costs what was counted of the last minute, and of the day what {@link DayLoop} had not written
 * down. Thread-safe.
 */
public final class LocalAllowances implements Allowances {
    private final PoolView pool;
    private final LongSupplier monotonicMillis;
    private final LongSupplier unixMillis;
    private final AccountWindows windows = new AccountWindows();

    /**
     * @param pool has the accounts and the limits of their tiers
     * @param monotonicMillis a clock that nobody sets
     * @param unixMillis Unix time
     */
    public LocalAllowances(PoolView pool, LongSupplier monotonicMillis, LongSupplier unixMillis) {
        this.pool = pool;
        this.monotonicMillis = monotonicMillis;
        this.unixMillis = unixMillis;
    }

    @Override
    public CompletableFuture<Verdict> take(Wish wish) {
        return CompletableFuture.completedFuture(decide(wish));
    }

    /** The same, at once. */
    public synchronized Verdict decide(Wish wish) {
        Moment now = now();
        return windows.take(wish, pool.state().accounts().tierOf(wish.account()), now, before(now));
    }

    @Override
    public synchronized void settle(Settlement end) {
        Moment now = now();
        windows.settle(end, now, before(now));
    }

    /** Counts what the leader has granted, so as to know it should it be lost. */
    synchronized void note(Wish wish) {
        Moment now = now();
        windows.note(wish, now, before(now));
    }

    /** What is remembered, the account heard of last at the end. */
    public synchronized List<UsedSoFar> used() {
        Moment now = now();
        List<UsedSoFar> used = new ArrayList<>();
        windows.all()
                .forEach((account, window) ->
                        used.add(
                                new UsedSoFar(
                                        account,
                                        window.requestsThisMinute(now),
                                        window.tokensThisMinute(now),
                                        window.tokensToday(now),
                                        window.sessions(now))));
        return used;
    }

    /** Days since 1970, UTC. */
    long day() {
        return now().day();
    }

    private ToLongFunction<String> before(Moment now) {
        return account -> pool.state().accounts().dayUsage().tokens(account, now.day());
    }

    private Moment now() {
        return new Moment(monotonicMillis.getAsLong(), unixMillis.getAsLong());
    }
}
