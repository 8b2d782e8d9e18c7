package coop.sahkar.client.routing;

import coop.sahkar.client.provider.FailureKind;
import org.jspecify.annotations.Nullable;

/**
 * How one (provider, model) pair did lately.
 *
 * @param restUntilMillis it is left alone until then
 * @param stated whether the provider itself said so; otherwise it is asked before giving up
 * @param why it rests
 * @param failures in a row
 * @param firstTextMillis usual time to the first text, recent answers counting more; 0: none yet
 */
record Standing(
        long restUntilMillis,
        boolean stated,
        @Nullable FailureKind why,
        int failures,
        double firstTextMillis) {
    static final Standing NEW = new Standing(Long.MIN_VALUE, false, null, 0, 0);

    private static final double RECENT = 0.3;
    private static final int DOUBLINGS_AT_MOST = 6;
    private static final long BLIP_MILLIS = 1_000;
    private static final long MINUTE_MILLIS = 60_000;
    private static final long DAY_MILLIS = 24 * 60 * MINUTE_MILLIS;

    Standing failed(FailureKind kind, long statedMillis, long nowMillis) {
        boolean says = statedMillis > 0;
        long rest = says ? Math.min(statedMillis, DAY_MILLIS) : usualRest(kind, failures);
        long until = Math.max(restUntilMillis, nowMillis + rest);
        return new Standing(
                until,
                says || (stated && restUntilMillis > nowMillis),
                kind,
                failures + 1,
                firstTextMillis);
    }

    /** The provider says that it takes nothing more for a while, though it answers. */
    Standing exhausted(long millis, long nowMillis) {
        return new Standing(
                Math.max(restUntilMillis, nowMillis + Math.min(millis, DAY_MILLIS)),
                true,
                FailureKind.RATE,
                failures,
                firstTextMillis);
    }

    Standing answered(long millisToText) {
        double usual =
                firstTextMillis == 0
                        ? millisToText
                        : firstTextMillis + RECENT * (millisToText - firstTextMillis);
        return new Standing(restUntilMillis, stated, why, 0, Math.max(1, usual));
    }

    private static long usualRest(FailureKind kind, int failuresBefore) {
        return switch (kind) {
            case AUTH, NOT_FOUND -> 10 * MINUTE_MILLIS;
            case QUOTA -> 60 * MINUTE_MILLIS;
            case RATE -> 10 * BLIP_MILLIS;
            case OVERLOAD, TIMEOUT, NETWORK, MID_STREAM, BROKEN ->
                    BLIP_MILLIS << Math.min(failuresBefore, DOUBLINGS_AT_MOST);
            case BAD_REQUEST, CONTEXT, CANCELLED, DEADLINE -> 0;
        };
    }
}
