package coop.sahkar.coordinator.limits;

import coop.sahkar.governance.Tier;
import java.util.LinkedHashMap;
import java.util.Map;

/** What one account has used. Not thread-safe. */
final class AccountWindow {
    /** An answer that is not settled after this is taken for lost with its coordinator. */
    static final long SESSION_MILLIS = 15 * 60_000;

    /** What waiting for one's own answers is worth trying again after. */
    private static final long SESSION_RETRY_MILLIS = 1_000;

    private record Held(Wish wish, long tokens, long atMillis) {}

    private final SlidingWindow requests = new SlidingWindow();
    private final SlidingWindow tokens = new SlidingWindow();
    private final Map<String, Held> held = new LinkedHashMap<>();
    private long day;
    private long tokensOfDay;

    AccountWindow(Moment now) {
        this.day = now.day();
    }

    /** So much was used today at least, as was written down: by another leader, or before. */
    void atLeast(long tokens, Moment now) {
        forget(now);
        tokensOfDay = Math.max(tokensOfDay, tokens);
    }

    /** Takes what a request needs, or nothing. */
    Verdict take(Wish wish, Tier tier, Moment now) {
        forget(now);
        if (held.containsKey(wish.id())) { // asked twice, as when the first answer was lost
            return new Verdict.Granted(requests(tier, now), tokens(tier, now));
        }
        Limit limit = Limit.REQUESTS_PER_MINUTE;
        long wait = room(requests, 1, tier.requestsPerMinute(), now);
        long forTokens = room(tokens, wish.tokens(), tier.tokensPerMinute(), now);
        if (forTokens > wait) {
            limit = Limit.TOKENS_PER_MINUTE;
            wait = forTokens;
        }
        if (crowded(wish, tier) && wait < SESSION_RETRY_MILLIS) {
            limit = Limit.CONCURRENT_SESSIONS;
            wait = SESSION_RETRY_MILLIS;
        }
        if (spent(wish, tier) && wait < now.millisToMidnight()) {
            limit = Limit.TOKENS_PER_DAY;
            wait = now.millisToMidnight();
        }
        if (wait > 0) {
            return new Verdict.Refused(limit, wait, requests(tier, now), tokens(tier, now));
        }
        note(wish, now);
        return new Verdict.Granted(requests(tier, now), tokens(tier, now));
    }

    /** Counts what somebody else has granted. */
    void note(Wish wish, Moment now) {
        forget(now);
        requests.add(1, now.millis());
        tokens.add(wish.tokens(), now.millis());
        tokensOfDay += wish.tokens();
        held.put(wish.id(), new Held(wish, wish.tokens(), now.millis()));
    }

    /** Puts what was really used in the place of what was taken. */
    void settle(Settlement end, Moment now) {
        forget(now);
        Held taken = held.remove(end.id());
        long before = taken == null ? 0 : taken.tokens();
        long more = end.tokens() - before;
        tokensOfDay = Math.max(0, tokensOfDay + more);
        if (more > 0) {
            tokens.add(more, now.millis());
        } else if (taken != null) {
            tokens.takeBack(-more, taken.atMillis(), now.millis());
        }
        if (taken != null && !end.counts()) {
            requests.takeBack(1, taken.atMillis(), now.millis());
        } else if (taken == null && end.counts()) { // another coordinator let it in by itself
            requests.add(1, now.millis());
        }
    }

    /** Answers under way. */
    int sessions(Moment now) {
        forget(now);
        return held.values().stream().mapToInt(h -> h.wish().sessions()).sum();
    }

    long requestsThisMinute(Moment now) {
        return requests.used(now.millis());
    }

    long tokensThisMinute(Moment now) {
        return tokens.used(now.millis());
    }

    /** Without what is held for answers under way. */
    long tokensToday(Moment now) {
        forget(now);
        return Math.max(0, tokensOfDay - heldTokens());
    }

    /** Whether it need not be remembered. */
    boolean idle(Moment now) {
        forget(now);
        return held.isEmpty()
                && tokensOfDay == 0
                && requests.used(now.millis()) == 0
                && tokens.used(now.millis()) == 0;
    }

    /** Whoever wants more than the limit itself gets it when nothing else is used. */
    private static long room(SlidingWindow window, long wanted, long limit, Moment now) {
        return limit == 0
                ? 0
                : window.millisUntilAtMost(limit - Math.min(wanted, limit), now.millis());
    }

    private boolean spent(Wish wish, Tier tier) {
        long limit = tier.tokensPerDay();
        return limit > 0 && tokensOfDay > limit - Math.min(wish.tokens(), limit);
    }

    private boolean crowded(Wish wish, Tier tier) {
        int limit = tier.concurrentSessions();
        int running = held.values().stream().mapToInt(h -> h.wish().sessions()).sum();
        return limit > 0
                && wish.sessions() > 0
                && running > limit - Math.min(wish.sessions(), limit);
    }

    private Budget requests(Tier tier, Moment now) {
        return budget(requests, tier.requestsPerMinute(), now);
    }

    private Budget tokens(Tier tier, Moment now) {
        Budget minute = budget(tokens, tier.tokensPerMinute(), now);
        if (tier.tokensPerDay() == 0) {
            return minute;
        }
        long left = Math.max(0, tier.tokensPerDay() - tokensOfDay);
        return minute.limited() && minute.remaining() <= left
                ? minute
                : new Budget(tier.tokensPerDay(), left, now.millisToMidnight());
    }

    private static Budget budget(SlidingWindow window, long limit, Moment now) {
        if (limit == 0) {
            return Budget.NONE;
        }
        long left = Math.max(0, limit - window.used(now.millis()));
        return new Budget(limit, left, window.millisUntilAtMost(0, now.millis()));
    }

    private long heldTokens() {
        return held.values().stream().mapToLong(Held::tokens).sum();
    }

    private void forget(Moment now) {
        if (now.day() > day) { // a clock that is set back begins no new day
            day = now.day();
            tokensOfDay = heldTokens();
        }
        held.values().removeIf(h -> now.millis() - h.atMillis() >= SESSION_MILLIS);
    }
}
