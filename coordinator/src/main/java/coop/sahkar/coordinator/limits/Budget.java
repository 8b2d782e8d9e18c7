package coop.sahkar.coordinator.limits;

/**
 * What is left of one limit.
 *
 * @param limit what is allowed; 0: as much as one likes
 * @param remaining what is left of it
 * @param resetMillis in how long all of it will be there again
 */
public record Budget(long limit, long remaining, long resetMillis) {
    /** No limit. */
    public static final Budget NONE = new Budget(0, 0, 0);

    /** Whether there is a limit. */
    public boolean limited() {
        return limit > 0;
    }
}
