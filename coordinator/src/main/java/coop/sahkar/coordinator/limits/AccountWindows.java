package coop.sahkar.coordinator.limits;

import coop.sahkar.governance.Tier;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToLongFunction;

/** What all accounts have used, for a bounded number of them. Not thread-safe. */
final class AccountWindows {
    /** Accounts remembered; whoever was silent longest gives way. */
    static final int MAX_ACCOUNTS = 16_384;

    /** Of how many at most it is looked, at each new one, whether they can be forgotten. */
    private static final int SWEEP = 4;

    private final Map<String, AccountWindow> windows = new LinkedHashMap<>(16, 0.75f, true);

    /**
     * Takes what a request needs, or nothing.
     *
     * @param tokensToday what an account has used today, as far as that was written down
     */
    Verdict take(Wish wish, Tier tier, Moment now, ToLongFunction<String> tokensToday) {
        return of(wish.account(), now, tokensToday).take(wish, tier, now);
    }

    /** Counts what somebody else has granted. */
    void note(Wish wish, Moment now, ToLongFunction<String> tokensToday) {
        of(wish.account(), now, tokensToday).note(wish, now);
    }

    /** Puts what was really used in the place of what was taken. */
    void settle(Settlement end, Moment now, ToLongFunction<String> tokensToday) {
        of(end.account(), now, tokensToday).settle(end, now);
    }

    /** Everybody who is remembered. */
    Map<String, AccountWindow> all() {
        return windows;
    }

    private AccountWindow of(String account, Moment now, ToLongFunction<String> tokensToday) {
        AccountWindow known = windows.get(account);
        if (known == null) {
            makeRoom(now);
            known = new AccountWindow(now);
            windows.put(account, known);
        }
        known.atLeast(tokensToday.applyAsLong(account), now);
        return known;
    }

    private void makeRoom(Moment now) {
        Iterator<AccountWindow> eldest = windows.values().iterator();
        for (int i = 0; i < SWEEP && eldest.hasNext(); i++) {
            if (eldest.next().idle(now) || windows.size() >= MAX_ACCOUNTS) {
                eldest.remove();
            }
        }
    }
}
