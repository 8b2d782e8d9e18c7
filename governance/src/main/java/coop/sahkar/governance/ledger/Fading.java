package coop.sahkar.governance.ledger;

/** Halving over time, in steps and whole numbers, the same on every machine. */
final class Fading {
    /** Steps of a half-life; time is counted in them, so looking often changes nothing. */
    static final int STEPS = 8;

    /** The eighth root of a half, of 65,536. */
    private static final long FACTOR = 60_097;

    private static final int SHIFT = 16;
    private static final long LOW_BITS = (1L << SHIFT) - 1;

    private Fading() {}

    /**
     * What is left of an amount.
     *
     * @param micros from 0 to {@link Account#MAX_RECENT_MICROS}
     */
    static long fade(long micros, long fromMillis, long toMillis, long halfLifeMillis) {
        long step = Math.max(1, halfLifeMillis / STEPS);
        long steps = Math.floorDiv(toMillis, step) - Math.floorDiv(fromMillis, step);
        long left = micros;
        for (long i = 0; i < steps && left > 0; i++) {
            left = (left >>> SHIFT) * FACTOR + (((left & LOW_BITS) * FACTOR) >>> SHIFT);
        }
        return left;
    }
}
