package coop.sahkar.client.provider;

/**
 * What tokens cost, in millionths of a US dollar per million tokens.
 *
 * @param input tokens of the prompt
 * @param output tokens generated
 */
public record Price(long input, long output) {
    /** Costs nothing. */
    public static final Price FREE = new Price(0, 0);

    private static final long MILLION = 1_000_000;

    public Price {
        if (input < 0 || output < 0) {
            throw new IllegalArgumentException("a price must not be negative");
        }
    }

    /** A price in US dollars per million tokens, as price lists have it. */
    public static Price dollarsPerMillion(double input, double output) {
        return new Price(Math.round(input * MILLION), Math.round(output * MILLION));
    }

    /** The cost of so many tokens, in millionths of a dollar, rounded up. */
    public long microDollars(long promptTokens, long completionTokens) {
        return Math.ceilDiv(promptTokens * input + completionTokens * output, MILLION);
    }
}
