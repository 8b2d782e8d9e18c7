package coop.sahkar.coordinator.gateway;

/**
 * How long the gateway waits in a generation before it acts. All in milliseconds.
 *
 * @param firstTokenMillis most silence of a head before its first token; a report of prefill
 *     progress breaks it
 * @param nextTokenMillis most silence of a head between tokens
 * @param slowReaderMillis a reader that takes nothing for this long is hung up on
 * @param spareMillis after a lost worker, how long to look for another route
 * @param healingMillis the same while the pool is on its way to serve the model again
 * @param returnMillis a lost worker is avoided for this long; then it may have come back
 * @param pauseMillis first pause between two looks for a route; doubled each time, up to 1 s
 * @param pingMillis silence on an event stream after which a comment is sent
 * @param headersMillis an event stream begins within this, even if no head has answered yet; errors
 *     after it can no longer set the HTTP status
 * @param drainMillis when the gateway closes, how long running generations may go on
 */
public record Patience(
        int firstTokenMillis,
        int nextTokenMillis,
        int slowReaderMillis,
        int spareMillis,
        int healingMillis,
        int returnMillis,
        int pauseMillis,
        int pingMillis,
        int headersMillis,
        int drainMillis) {

    /** What suits people. */
    public static final Patience DEFAULT =
            new Patience(60_000, 30_000, 60_000, 10_000, 60_000, 5_000, 100, 5_000, 5_000, 5_000);

    private static final int MOST_SUSPICION_MILLIS = 2_000;
    private static final int MOST_TICK_MILLIS = 100;

    public Patience {
        if (firstTokenMillis < 1
                || nextTokenMillis < 1
                || slowReaderMillis < 1
                || spareMillis < 0
                || healingMillis < spareMillis
                || returnMillis < 0
                || pauseMillis < 1
                || pingMillis < 1
                || headersMillis < 1
                || drainMillis < 0) {
            throw new IllegalArgumentException("a gateway's waiting times must be positive");
        }
    }

    /** After this much silence the pool is asked whether the head is still there. */
    public int suspicionMillis() {
        return Math.min(MOST_SUSPICION_MILLIS, nextTokenMillis / 4);
    }

    /** How often a running generation looks at the clock. */
    int tickMillis() {
        int shortest =
                Math.min(
                        Math.min(firstTokenMillis, nextTokenMillis),
                        Math.min(slowReaderMillis, Math.min(pingMillis, headersMillis)));
        return Math.clamp(shortest / 4, 10, MOST_TICK_MILLIS);
    }
}
