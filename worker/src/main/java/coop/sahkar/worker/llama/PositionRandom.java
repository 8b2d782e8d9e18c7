package coop.sahkar.worker.llama;

/**
 * Randomness as a function of (seed, position), so that any tail that samples a position chooses
 * the same token. Part of the protocol: all workers must compute it alike.
 *
 * <p>With {@code mix} the finalizer of SplitMix64 (multipliers 0xBF58476D1CE4E5B9 and
 * 0x94D049BB133111EB, shifts 30, 27, 31) and γ = 0x9E3779B97F4A7C15, all modulo 2^64:
 *
 * <pre>
 * bits = mix(mix(seed) + (position + 1) · γ)
 * unit = (bits >>> 11) · 2^-53
 * </pre>
 *
 * <p>The seed is mixed first, so that the streams of seeds that lie γ apart do not overlap.
 */
final class PositionRandom {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private PositionRandom() {}

    /** A number in {@code [0, 1)}. */
    static double unit(long seed, int position) {
        return (mix(mix(seed) + (position + 1L) * GAMMA) >>> 11) * 0x1.0p-53;
    }

    private static long mix(long bits) {
        bits = (bits ^ (bits >>> 30)) * 0xBF58476D1CE4E5B9L;
        bits = (bits ^ (bits >>> 27)) * 0x94D049BB133111EBL;
        return bits ^ (bits >>> 31);
    }
}
