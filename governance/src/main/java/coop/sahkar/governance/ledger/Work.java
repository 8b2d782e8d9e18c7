package coop.sahkar.governance.ledger;

/**
 * Work that coordinators counted: tokens times the blocks they went through.
 *
 * @param promptTokenBlocks of prompts, at least 0
 * @param answerTokenBlocks of answers, at least 0
 */
public record Work(long promptTokenBlocks, long answerTokenBlocks) {
    /** Nothing done. */
    public static final Work NONE = new Work(0, 0);

    /** Most of either in one entry of a batch: far beyond what a pool does in a day. */
    public static final long MAX_TOKEN_BLOCKS = 1L << 40;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is negative or beyond {@link #MAX_TOKEN_BLOCKS}
     */
    public Work {
        within(promptTokenBlocks);
        within(answerTokenBlocks);
    }

    /** Tokens that went through so many blocks. */
    public static Work of(long promptTokens, long answerTokens, int blocks) {
        return new Work(
                Math.multiplyExact(promptTokens, blocks), Math.multiplyExact(answerTokens, blocks));
    }

    /** Both together. */
    public Work plus(Work other) {
        return new Work(
                promptTokenBlocks + other.promptTokenBlocks,
                answerTokenBlocks + other.answerTokenBlocks);
    }

    /** What it costs, in micro-credits: exact, nothing is rounded. */
    public long micros(LedgerPolicy policy) {
        return Math.addExact(
                Math.multiplyExact(promptTokenBlocks, (long) policy.promptPriceMicros()),
                Math.multiplyExact(answerTokenBlocks, (long) policy.answerPriceMicros()));
    }

    private static void within(long tokenBlocks) {
        if (tokenBlocks < 0 || tokenBlocks > MAX_TOKEN_BLOCKS) {
            throw new IllegalArgumentException(
                    "%s token blocks are not from 0 to %s"
                            .formatted(tokenBlocks, MAX_TOKEN_BLOCKS));
        }
    }
}
