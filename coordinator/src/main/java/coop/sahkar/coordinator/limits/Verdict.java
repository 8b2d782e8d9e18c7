package coop.sahkar.coordinator.limits;

/** Whether a request may go on. */
public sealed interface Verdict {
    /** Requests left. */
    Budget requests();

    /** Tokens left, of the tighter of both limits. */
    Budget tokens();

    /** What it needs is taken, until it is settled. */
    record Granted(Budget requests, Budget tokens) implements Verdict {}

    /**
     * It may not, and nothing is taken.
     *
     * @param limit what forbids it; of several the one that does longest
     * @param retryMillis when it may, if nobody else of the account comes first
     */
    record Refused(Limit limit, long retryMillis, Budget requests, Budget tokens)
            implements Verdict {}
}
