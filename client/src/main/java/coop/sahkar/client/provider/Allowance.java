package coop.sahkar.client.provider;

/**
 * What a provider allows a caller, or a caller allows himself there. The client keeps count and
 * does not send what would go beyond. Minutes and days are any 60 seconds and any 24 hours. 0 is no
 * bound.
 *
 * @param requestsPerMinute requests begun
 * @param requestsPerDay requests begun
 * @param tokensPerMinute tokens of prompts and answers together
 * @param tokensPerDay tokens of prompts and answers together
 * @param concurrent answers under way at once
 * @param microDollarsPerDay money spent, in millionths of a US dollar
 */
public record Allowance(
        int requestsPerMinute,
        int requestsPerDay,
        long tokensPerMinute,
        long tokensPerDay,
        int concurrent,
        long microDollarsPerDay) {
    /** No bound at all. */
    public static final Allowance UNBOUNDED = new Allowance(0, 0, 0, 0, 0, 0);

    public Allowance {
        if (requestsPerMinute < 0
                || requestsPerDay < 0
                || tokensPerMinute < 0
                || tokensPerDay < 0
                || concurrent < 0
                || microDollarsPerDay < 0) {
            throw new IllegalArgumentException("an allowance must not be negative");
        }
    }

    /** Bounds on requests. */
    public static Allowance requests(int perMinute, int perDay) {
        return new Allowance(perMinute, perDay, 0, 0, 0, 0);
    }

    /** The same with bounds on tokens. */
    public Allowance tokens(long perMinute, long perDay) {
        return new Allowance(
                requestsPerMinute,
                requestsPerDay,
                perMinute,
                perDay,
                concurrent,
                microDollarsPerDay);
    }

    /** The same with so many answers at once. */
    public Allowance concurrent(int answers) {
        return new Allowance(
                requestsPerMinute,
                requestsPerDay,
                tokensPerMinute,
                tokensPerDay,
                answers,
                microDollarsPerDay);
    }

    /** The same with so much money a day. */
    public Allowance dollarsPerDay(double dollars) {
        return new Allowance(
                requestsPerMinute,
                requestsPerDay,
                tokensPerMinute,
                tokensPerDay,
                concurrent,
                Math.round(dollars * 1_000_000));
    }
}
