package coop.sahkar.coordinator.routing;

/**
 * What a stage costs a token, in microseconds. Pure.
 *
 * <p>Its compute time, more the more sessions share it, the more rows wait before it and the less
 * KV room is left; a fixed price for being a stage at all; and up to {@link #NOISE_PERCENT} percent
 * that the seed decides, so that requests which see the same pool at the same moment, at one
 * coordinator or at several, do not all run to the same replica.
 */
final class StagePrice {
    /** What any hop costs besides the way: serialization, a batch's wait. */
    static final long HOP_MICROS = 500;

    /** So many sessions double the cost of a stage. */
    private static final int SESSIONS_TO_DOUBLE = 4;

    /** So many waiting rows are one more batch to wait for. */
    private static final int ROWS_OF_A_BATCH = 32;

    /** A stage whose KV cache is full costs a fourth more than an empty one. */
    private static final int FULL_SHARE = 4;

    private static final int NOISE_PERCENT = 10;

    private StagePrice() {}

    static long micros(StageOffer offer, RouteTerms terms) {
        long compute = offer.computeMicros();
        long shared = compute * (SESSIONS_TO_DOUBLE + offer.sessions()) / SESSIONS_TO_DOUBLE;
        long queue = compute * offer.queuedRows() / ROWS_OF_A_BATCH;
        long load = shared + queue + scarcity(offer, compute);
        long noise = load * NOISE_PERCENT * noise(offer.workerId(), terms.seed()) / (100L * 1024);
        long kept = terms.prefer().contains(offer.workerId()) ? terms.keptStageMicros() : 0;
        return HOP_MICROS + load + noise - kept;
    }

    private static long scarcity(StageOffer offer, long compute) {
        if (offer.kvCells() <= 0 || offer.freePositions() == StageOffer.UNKNOWN) {
            return 0;
        }
        long used = Math.max(0, offer.kvCells() - offer.freePositions());
        return compute * used / (FULL_SHARE * (long) offer.kvCells());
    }

    /** From 0 to 1023: seed and name, well mixed (the finalizer of SplitMix64). */
    static long noise(String name, long seed) {
        long mixed = seed * 0x9E3779B97F4A7C15L;
        for (int i = 0; i < name.length(); i++) {
            mixed = 31 * mixed + name.charAt(i);
        }
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return (mixed ^ (mixed >>> 31)) >>> 54;
    }
}
