package coop.sahkar.governance.ledger;

/**
 * What tokens cost and how they weigh when requests wait; every number whole.
 *
 * @param promptPriceMicros micro-credits for one token of a prompt through one block
 * @param answerPriceMicros micro-credits for one token of an answer through one block
 * @param usageIntervalMillis how often a coordinator writes what it counted to the log: a crash
 *     loses no more than what was counted in this time
 * @param halfLifeMillis after this time what was given or used weighs half
 * @param floorWeight turns of an account that gives nothing, against {@code mostWeight} of one that
 *     gives much and uses little
 * @param mostWeight most turns of an account
 * @param steadyMicros what an account that uses nothing has to have given lately to get half of the
 *     turns beyond the floor
 */
public record LedgerPolicy(
        int promptPriceMicros,
        int answerPriceMicros,
        int usageIntervalMillis,
        long halfLifeMillis,
        int floorWeight,
        int mostWeight,
        long steadyMicros) {

    /** Micro-credits of one credit. */
    public static final long MICROS_PER_CREDIT = 1_000_000;

    /** The rules of a new pool. */
    public static final LedgerPolicy DEFAULT =
            new LedgerPolicy(2, 10, 10_000, 3 * 24 * 3_600_000L, 16, 128, MICROS_PER_CREDIT);

    private static final int MAX_PRICE_MICROS = 1 << 20;
    private static final int MAX_INTERVAL_MILLIS = 60 * 60 * 1000;
    private static final long MAX_HALF_LIFE_MILLIS = 366L * 24 * 3_600_000L;
    private static final int MAX_WEIGHT = 1024;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException in a sentence that names the number at fault
     */
    public LedgerPolicy {
        within("prompt_price_micros", promptPriceMicros, 0, MAX_PRICE_MICROS);
        within("answer_price_micros", answerPriceMicros, 0, MAX_PRICE_MICROS);
        within("usage_interval_millis", usageIntervalMillis, 100, MAX_INTERVAL_MILLIS);
        within("half_life_millis", halfLifeMillis, 60_000, MAX_HALF_LIFE_MILLIS);
        within("floor_weight", floorWeight, 1, MAX_WEIGHT);
        within("most_weight", mostWeight, floorWeight, MAX_WEIGHT);
        within("steady_micros", steadyMicros, 1, Account.MAX_RECENT_MICROS);
    }

    private static void within(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "ledger policy: %s is %s but must lie between %s and %s"
                            .formatted(name, value, least, most));
        }
    }
}
