package coop.sahkar.governance;

import coop.sahkar.governance.ledger.LedgerPolicy;

/**
 * What the co-operative allows: every limit that members may change without a new release. All
 * numbers are whole; a policy that cannot work is refused when it is made.
 *
 * @param maxSessionPositions most positions of one session, prompt and answer together
 * @param maxConcurrentGenerations generations one coordinator runs at once
 * @param defaultAnswerTokens most tokens of an answer whose caller set no length: room for it is
 *     held in every stage as long as the generation runs, so a small number lets more run at once
 * @param ticketLifetimeMillis how long a session ticket lets its bearer in
 * @param leaseMillis a worker not heard of for this long is taken for lost
 * @param reportIntervalMillis how often workers report; at most half the lease
 * @param detachGraceMillis how long a worker whose stream broke keeps its place in the placement
 * @param kvPositions positions every shard's KV cache should hold, where memory allows
 * @param minKvPositions fewest positions worth placing a model for
 * @param relayBytesPerSecond most that one coordinator relays to and from one worker, in bytes
 * @param maxWaitingGenerations requests that one coordinator lets wait for room; 0: none waits
 * @param maxWaitMillis how long a request may wait for room before it is refused
 * @param restingSessionMillis how long workers may keep the KV of a finished chat, so that its next
 *     turn starts where it ended; 0: it is freed when the answer is complete
 * @param ledger what tokens cost, and how they weigh
 */
public record Policy(
        int maxSessionPositions,
        int maxConcurrentGenerations,
        int defaultAnswerTokens,
        int ticketLifetimeMillis,
        int leaseMillis,
        int reportIntervalMillis,
        int detachGraceMillis,
        int kvPositions,
        int minKvPositions,
        int relayBytesPerSecond,
        int maxWaitingGenerations,
        int maxWaitMillis,
        int restingSessionMillis,
        LedgerPolicy ledger) {

    /** The policy of a new pool. */
    public static final Policy DEFAULT =
            new Policy(
                    8192,
                    64,
                    2048,
                    600_000,
                    10_000,
                    1000,
                    2000,
                    16_384,
                    256,
                    16 << 20,
                    128,
                    30_000,
                    300_000,
                    LedgerPolicy.DEFAULT);

    private static final int MAX_POSITIONS = 1 << 20;
    private static final int MAX_GENERATIONS = 1 << 16;
    private static final int MIN_RELAY_BYTES = 1 << 16;
    private static final int MAX_RELAY_BYTES = 1 << 30;
    private static final int MAX_MILLIS = 24 * 60 * 60 * 1000;
    private static final int MAX_RESTING_MILLIS = 10 * 60 * 1000;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException in a sentence that names the number at fault
     */
    public Policy {
        within("max_session_positions", maxSessionPositions, 1, MAX_POSITIONS);
        within("max_concurrent_generations", maxConcurrentGenerations, 1, MAX_GENERATIONS);
        within("default_answer_tokens", defaultAnswerTokens, 1, MAX_POSITIONS);
        within("ticket_lifetime_millis", ticketLifetimeMillis, 1000, MAX_MILLIS);
        within("lease_millis", leaseMillis, 500, MAX_MILLIS);
        within("report_interval_millis", reportIntervalMillis, 50, leaseMillis / 2);
        within("detach_grace_millis", detachGraceMillis, 0, leaseMillis);
        within("kv_positions", kvPositions, 1, MAX_POSITIONS);
        within("min_kv_positions", minKvPositions, 1, kvPositions);
        within("relay_bytes_per_second", relayBytesPerSecond, MIN_RELAY_BYTES, MAX_RELAY_BYTES);
        within("max_waiting_generations", maxWaitingGenerations, 0, MAX_GENERATIONS);
        within("max_wait_millis", maxWaitMillis, 0, MAX_MILLIS);
        within("resting_session_millis", restingSessionMillis, 0, MAX_RESTING_MILLIS);
    }

    /** The same, with another size of KV caches. */
    public Policy withKvPositions(int positions) {
        return new Policy(
                maxSessionPositions,
                maxConcurrentGenerations,
                defaultAnswerTokens,
                ticketLifetimeMillis,
                leaseMillis,
                reportIntervalMillis,
                detachGraceMillis,
                positions,
                Math.min(minKvPositions, positions),
                relayBytesPerSecond,
                maxWaitingGenerations,
                maxWaitMillis,
                restingSessionMillis,
                ledger);
    }

    /** The same, with finished chats kept for another time; 0: not at all. */
    public Policy withRestingSessions(int millis) {
        return new Policy(
                maxSessionPositions,
                maxConcurrentGenerations,
                defaultAnswerTokens,
                ticketLifetimeMillis,
                leaseMillis,
                reportIntervalMillis,
                detachGraceMillis,
                kvPositions,
                minKvPositions,
                relayBytesPerSecond,
                maxWaitingGenerations,
                maxWaitMillis,
                millis,
                ledger);
    }

    private static void within(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "policy: %s is %s but must lie between %s and %s"
                            .formatted(name, value, least, most));
        }
    }
}
