package coop.sahkar.governance;

/**
 * The limits that each account of a tier is held to. 0 stands for no limit.
 *
 * @param name lower-case letters, digits and dashes
 * @param requestsPerMinute requests in any minute
 * @param tokensPerMinute tokens of prompts and answers in any minute
 * @param tokensPerDay tokens of prompts and answers from midnight to midnight (UTC)
 * @param concurrentSessions answers under way at once
 * @param contextTokens tokens of one prompt and its answer
 */
public record Tier(
        String name,
        int requestsPerMinute,
        int tokensPerMinute,
        long tokensPerDay,
        int concurrentSessions,
        int contextTokens) {

    private static final int MAX_PER_MINUTE = 1_000_000_000;
    private static final long MAX_PER_DAY = 1_000_000_000_000L;
    private static final int MAX_SESSIONS = 1 << 16;
    private static final int MAX_CONTEXT = 1 << 20;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException in a sentence that names what is at fault
     */
    public Tier {
        if (!name.matches("[a-z][a-z0-9-]{0,31}")) {
            throw new IllegalArgumentException(
                    "a tier's name is 1 to 32 lower-case letters, digits and dashes");
        }
        within(name, "requests_per_minute", requestsPerMinute, MAX_PER_MINUTE);
        within(name, "tokens_per_minute", tokensPerMinute, MAX_PER_MINUTE);
        within(name, "tokens_per_day", tokensPerDay, MAX_PER_DAY);
        within(name, "concurrent_sessions", concurrentSessions, MAX_SESSIONS);
        within(name, "context_tokens", contextTokens, MAX_CONTEXT);
    }

    /** A tier that limits nothing. */
    public static Tier unlimited(String name) {
        return new Tier(name, 0, 0, 0, 0, 0);
    }

    private static void within(String tier, String name, long value, long most) {
        if (value < 0 || value > most) {
            throw new IllegalArgumentException(
                    "tiers.%s.%s is %s but must lie between 0 (no limit) and %s"
                            .formatted(tier, name, value, most));
        }
    }
}
