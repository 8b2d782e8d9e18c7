package coop.sahkar.worker.store;

/**
 * How patient a fetch is.
 *
 * @param parallel pieces fetched at the same time
 * @param stallMillis a source that sends no byte for so long has stalled
 * @param failuresPerSource failures in a row after which a source is given up
 * @param firstBackoffMillis rest of a source after its first failure; doubles with each further one
 * @param maxBackoffMillis longest rest
 * @param judgeAfterMillis how long a source may take before its speed is compared with others'
 * @param tooSlowFactor a source so many times slower than another one is left for it
 */
public record FetchPolicy(
        int parallel,
        int stallMillis,
        int failuresPerSource,
        int firstBackoffMillis,
        int maxBackoffMillis,
        int judgeAfterMillis,
        int tooSlowFactor) {

    /** For donors' lines: four at once, twenty seconds of silence, five failures. */
    public static final FetchPolicy DEFAULT = new FetchPolicy(4, 20_000, 5, 500, 15_000, 3000, 4);

    public FetchPolicy {
        if (parallel < 1
                || stallMillis < 1
                || failuresPerSource < 1
                || firstBackoffMillis < 1
                || maxBackoffMillis < firstBackoffMillis
                || judgeAfterMillis < 1
                || tooSlowFactor < 2) {
            throw new IllegalArgumentException("not a fetch policy");
        }
    }

    /** Rest after {@code failures} failures in a row, in milliseconds. */
    long backoffMillis(int failures) {
        int doublings = Math.min(failures - 1, 20);
        return Math.min(maxBackoffMillis, (long) firstBackoffMillis << doublings);
    }
}
