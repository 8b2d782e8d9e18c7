package coop.sahkar.client.routing;

import coop.sahkar.client.provider.Allowance;

/**
 * What a client used of one provider, held against its allowance. Tokens and money are taken when a
 * request begins, by estimate, and put right when it ends.
 */
record Meter(
        Window requestsMinute,
        Window requestsDay,
        Window tokensMinute,
        Window tokensDay,
        Window moneyDay,
        int running) {
    /** How soon to look again when an answer under way has to end first; nobody knows when. */
    static final long LOOK_AGAIN_MILLIS = 50;

    static final Meter NEW =
            new Meter(
                    Window.minute(), Window.day(), Window.minute(), Window.day(), Window.day(), 0);

    /** When a request of this size may begin. */
    long roomAt(Allowance allowance, long tokens, long microDollars, long nowMillis) {
        long at = requestsMinute.roomAt(allowance.requestsPerMinute(), 1, nowMillis);
        at = Math.max(at, requestsDay.roomAt(allowance.requestsPerDay(), 1, nowMillis));
        at = Math.max(at, tokensMinute.roomAt(allowance.tokensPerMinute(), tokens, nowMillis));
        at = Math.max(at, tokensDay.roomAt(allowance.tokensPerDay(), tokens, nowMillis));
        at = Math.max(at, moneyDay.roomAt(allowance.microDollarsPerDay(), microDollars, nowMillis));
        boolean full = allowance.concurrent() > 0 && running >= allowance.concurrent();
        return full ? Math.max(at, nowMillis + LOOK_AGAIN_MILLIS) : at;
    }

    Meter begun(long tokens, long microDollars, long nowMillis) {
        return new Meter(
                requestsMinute.plus(1, nowMillis),
                requestsDay.plus(1, nowMillis),
                tokensMinute.plus(tokens, nowMillis),
                tokensDay.plus(tokens, nowMillis),
                moneyDay.plus(microDollars, nowMillis),
                running + 1);
    }

    Meter ended(long tokensMore, long microDollarsMore, long begunMillis, long nowMillis) {
        return new Meter(
                requestsMinute,
                requestsDay,
                tokensMinute.corrected(tokensMore, begunMillis, nowMillis),
                tokensDay.corrected(tokensMore, begunMillis, nowMillis),
                moneyDay.corrected(microDollarsMore, begunMillis, nowMillis),
                Math.max(0, running - 1));
    }
}
