package coop.sahkar.worker.gguf.synthetic;

/** Pseudo-random numbers, the same for the same seed on every machine: SplitMix64. */
final class Noise {
    private static final long STEP = 0x9E37_79B9_7F4A_7C15L;
    private static final int NORMALS = 1 << 12;
    private static final float[] NORMAL = normals();

    private long state;

    Noise(long seed) {
        this.state = seed;
    }

    long next() {
        state += STEP;
        long mixed = state;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D0_49BB_1331_11EBL;
        return mixed ^ (mixed >>> 31);
    }

    /** One of a few thousand numbers drawn once from the standard normal distribution. */
    float normal() {
        return NORMAL[(int) (next() >>> 40) & (NORMALS - 1)];
    }

    private static float[] normals() {
        Noise noise = new Noise(1);
        float[] normals = new float[NORMALS];
        for (int i = 0; i < NORMALS; i++) {
            double radius = StrictMath.sqrt(-2 * StrictMath.log(noise.unit()));
            normals[i] = (float) (radius * StrictMath.cos(2 * StrictMath.PI * noise.unit()));
        }
        return normals;
    }

    /** Uniform in (0, 1]. */
    private double unit() {
        return ((next() >>> 11) + 1) * 0x1p-53;
    }
}
