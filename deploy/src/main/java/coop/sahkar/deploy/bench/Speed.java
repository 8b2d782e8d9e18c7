package coop.sahkar.deploy.bench;

/**
 * How fast one generation was.
 *
 * @param prefill tokens of the prompt per second, from the start to the first token
 * @param decode tokens per second, from the first token to the last
 */
record Speed(double prefill, double decode) {
    /**
     * From times.
     *
     * @param promptTokens tokens of the prompt
     * @param firstTokenNanos from the start to the first token
     * @param tokens generated
     * @param decodeNanos from the first to the last of them
     */
    static Speed of(int promptTokens, long firstTokenNanos, int tokens, long decodeNanos) {
        return new Speed(
                promptTokens * 1e9 / firstTokenNanos,
                tokens > 1 ? (tokens - 1) * 1e9 / decodeNanos : Double.NaN);
    }
}
