package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpHeadersBuilder;
import com.linecorp.armeria.common.HttpResponse;
import coop.sahkar.coordinator.limits.Budget;
import coop.sahkar.coordinator.limits.Limit;
import coop.sahkar.coordinator.limits.Verdict;
import java.util.List;

/**
 * Headers that say what is left of the caller's limits, as OpenAI's API has them; none for a limit
 * that the caller does not have.
 */
record RateHeaders(Verdict verdict) {
    private static final String REQUESTS = "requests";
    private static final String TOKENS = "tokens";
    private static final int SECOND = 1_000;
    private static final int MINUTE = 60 * SECOND;
    private static final int HOUR = 60 * MINUTE;

    /** Tells SDKs, which try again by themselves, that it is of no use today. */
    static final String SHOULD_RETRY = "x-should-retry";

    /** All of them, for browsers to be allowed to see. */
    static final List<String> NAMES =
            List.of(
                    limit(REQUESTS),
                    remaining(REQUESTS),
                    reset(REQUESTS),
                    limit(TOKENS),
                    remaining(TOKENS),
                    reset(TOKENS));

    /** The same response with these headers. */
    HttpResponse on(HttpResponse response) {
        boolean silent =
                verdict instanceof Verdict.Granted
                        && !verdict.requests().limited()
                        && !verdict.tokens().limited();
        return silent
                ? response
                : response.mapHeaders(headers -> headers.withMutations(this::addTo));
    }

    private void addTo(HttpHeadersBuilder headers) {
        add(headers, REQUESTS, verdict.requests());
        add(headers, TOKENS, verdict.tokens());
        if (verdict instanceof Verdict.Refused refused && refused.limit() == Limit.TOKENS_PER_DAY) {
            headers.set(SHOULD_RETRY, "false");
        }
    }

    private static void add(HttpHeadersBuilder headers, String what, Budget budget) {
        if (budget.limited()) {
            headers.setLong(limit(what), budget.limit());
            headers.setLong(remaining(what), budget.remaining());
            headers.set(reset(what), duration(budget.resetMillis()));
        }
    }

    /** Such as 350ms, 12s, 6m0s or 1h2m3s; not shorter than it is. */
    static String duration(long millis) {
        if (millis < SECOND) {
            return millis + "ms";
        }
        long rounded = (millis + SECOND - 1) / SECOND * SECOND;
        String seconds = rounded % MINUTE / SECOND + "s";
        if (rounded < MINUTE) {
            return seconds;
        }
        String minutes = rounded % HOUR / MINUTE + "m" + seconds;
        return rounded < HOUR ? minutes : rounded / HOUR + "h" + minutes;
    }

    private static String limit(String what) {
        return "x-ratelimit-limit-" + what;
    }

    private static String remaining(String what) {
        return "x-ratelimit-remaining-" + what;
    }

    private static String reset(String what) {
        return "x-ratelimit-reset-" + what;
    }
}
