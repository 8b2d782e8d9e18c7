package coop.sahkar.coordinator.limits;

/** The limits that a request can run into. */
public enum Limit {
    /** Requests in any minute. */
    REQUESTS_PER_MINUTE("requests per minute"),
    /** Tokens in any minute. */
    TOKENS_PER_MINUTE("tokens per minute"),
    /** Tokens from midnight to midnight (UTC). */
    TOKENS_PER_DAY("tokens per day"),
    /** Answers under way at once. */
    CONCURRENT_SESSIONS("answers at once");

    private final String words;

    Limit(String words) {
        this.words = words;
    }

    /** What is counted, for people. */
    public String words() {
        return words;
    }
}
