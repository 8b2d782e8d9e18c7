package coop.sahkar.governance.ledger;

/**
 * One account: all it has ever earned and spent, and what of it was lately, which fades. The first
 * two say what is owed, the others whose turn it is; credits can change hands without changing the
 * latter.
 *
 * @param earnedMicros micro-credits credited to it since it exists
 * @param spentMicros micro-credits debited from it since it exists
 * @param givenMicros what it earned by work, faded up to {@code fadedAtMillis}
 * @param usedMicros what it used, faded up to {@code fadedAtMillis}
 * @param fadedAtMillis time of the ledger of the last change
 */
public record Account(
        long earnedMicros,
        long spentMicros,
        long givenMicros,
        long usedMicros,
        long fadedAtMillis) {
    /** An account without entries. */
    public static final Account NEW = new Account(0, 0, 0, 0, 0);

    /** What is given or used lately is counted up to here. */
    public static final long MAX_RECENT_MICROS = 1L << 50;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is negative
     */
    public Account {
        if (earnedMicros < 0
                || spentMicros < 0
                || givenMicros < 0
                || usedMicros < 0
                || fadedAtMillis < 0) {
            throw new IllegalArgumentException("an account's sums cannot be negative");
        }
    }

    /** What it has, or, below zero, what it owes the co-operative. */
    public long balanceMicros() {
        return earnedMicros - spentMicros;
    }

    /**
     * The same after work for {@code earned} and use of {@code spent}.
     *
     * @throws ArithmeticException if a sum leaves the range of a long
     */
    Account after(long earned, long spent, long nowMillis, LedgerPolicy policy) {
        long half = policy.halfLifeMillis();
        return new Account(
                Math.addExact(earnedMicros, earned),
                Math.addExact(spentMicros, spent),
                recent(Fading.fade(givenMicros, fadedAtMillis, nowMillis, half), earned),
                recent(Fading.fade(usedMicros, fadedAtMillis, nowMillis, half), spent),
                nowMillis);
    }

    private static long recent(long before, long added) {
        return Math.min(MAX_RECENT_MICROS, before + Math.min(added, MAX_RECENT_MICROS));
    }

    /**
     * Turns of this account for {@link LedgerPolicy#floorWeight} of one that gives nothing: more
     * the more it gave lately, less the more it used, never below the floor nor above the most.
     *
     * @param nowMillis the ledger's time
     */
    public int weight(long nowMillis, LedgerPolicy policy) {
        long half = policy.halfLifeMillis();
        long given = Fading.fade(givenMicros, fadedAtMillis, nowMillis, half);
        long used = Fading.fade(usedMicros, fadedAtMillis, nowMillis, half);
        long beyond = (long) policy.mostWeight() - policy.floorWeight();
        return policy.floorWeight()
                + (int) (beyond * given / (given + used + policy.steadyMicros()));
    }
}
