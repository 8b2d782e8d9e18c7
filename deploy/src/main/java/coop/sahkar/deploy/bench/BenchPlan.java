package coop.sahkar.deploy.bench;

/**
 * What is measured.
 *
 * @param shape a preset of random-weight models
 * @param stages workers in the chain
 * @param threads of each worker, and of the one process beside it
 * @param promptTokens about how many tokens the long prompt has
 * @param tokens generated in each run
 * @param sessions at once, beside one alone
 * @param rounds of everything, in each of which {@value #DECODES} answers are paired
 */
public record BenchPlan(
        String shape,
        int stages,
        int threads,
        int promptTokens,
        int tokens,
        int sessions,
        int rounds) {
    /** Answers of the chain in a round, each in turn with one of the one process. */
    static final int DECODES = 5;

    /** How often in a round all sessions go through the chain, each time after one alone. */
    static final int CROWDS = 3;

    /** What a session reserves for a short prompt: the gateway knows its bytes, not its tokens. */
    private static final int SHORT_PROMPT = 320;

    /**
     * Bytes per token of the long prompt, more than it has. Its session may still be in the
     * workers' last reports when all sessions begin at once, and is counted by its bytes.
     */
    private static final int LATE_BYTES = 8;

    /**
     * Positions that every KV cache has, those of the one process too: as many as the runs need. A
     * larger one costs time by itself, here and there alike.
     */
    public int kvPositions() {
        return Math.max(promptTokens + tokens, sessions * (SHORT_PROMPT + tokens))
                + SHORT_PROMPT
                + promptTokens * LATE_BYTES;
    }
}
