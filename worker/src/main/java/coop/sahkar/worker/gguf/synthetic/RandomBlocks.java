package coop.sahkar.worker.gguf.synthetic;

import coop.sahkar.worker.gguf.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Fills bytes with valid blocks of a type. In quantized types the quants are uniform and the scales
 * vary a little about what gives the tensor its deviation.
 */
final class RandomBlocks {
    /** Standard deviation of a uniform number of 4 bits, of 6 bits, of 8 bits with its sign. */
    private static final float DEVIATION_4_BITS = 4.61f;

    private static final float DEVIATION_6_BITS = 18.47f;
    private static final float DEVIATION_8_BITS = 73.9f;

    private static final float MIDDLE_4_BITS = 7.5f;
    private static final int MEAN_SUBSCALE = 31;
    private static final int K_SUBSCALES = 8;
    private static final int Q6_SUBSCALES = 16;

    private final TensorType type;
    private final float mean;
    private final float deviation;

    RandomBlocks(RandomTensor tensor) {
        this.type = tensor.type();
        this.mean = tensor.mean();
        this.deviation = tensor.deviation();
    }

    /** Fills {@code bytes}, whose length is a multiple of the block's. */
    void fill(byte[] bytes, Noise noise) {
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (out.hasRemaining()) {
            block(out, noise);
        }
    }

    private void block(ByteBuffer out, Noise noise) {
        switch (type) {
            case F32 -> out.putFloat(number(noise));
            case F16 -> out.putShort(Float.floatToFloat16(number(noise)));
            case BF16 -> out.putShort((short) (Float.floatToRawIntBits(number(noise)) >>> 16));
            case Q8_0 -> quants(out.putShort(scale(noise, DEVIATION_8_BITS)), noise, 32);
            case Q4_0 -> quants(out.putShort(scale(noise, DEVIATION_4_BITS)), noise, 16);
            case Q4_K -> q4k(out, noise);
            case Q6_K -> q6k(out, noise);
            case Q4_1,
                    Q5_0,
                    Q5_1,
                    Q8_1,
                    Q2_K,
                    Q3_K,
                    Q5_K,
                    Q8_K,
                    IQ2_XXS,
                    IQ2_XS,
                    IQ3_XXS,
                    IQ1_S,
                    IQ4_NL,
                    IQ3_S,
                    IQ2_S,
                    IQ4_XS,
                    I8,
                    I16,
                    I32,
                    I64,
                    F64,
                    IQ1_M,
                    TQ1_0,
                    TQ2_0,
                    MXFP4,
                    NVFP4,
                    Q1_0 ->
                    throw new IllegalArgumentException("no random weights in " + type);
        }
    }

    private float number(Noise noise) {
        return mean + deviation * noise.normal();
    }

    /**
     * A scale by which quants of that deviation get the tensor's, give or take an eighth. Its sign
     * is random: quants reach one further below zero than above, and would all lean to one side.
     */
    private short scale(Noise noise, float quantDeviation) {
        long random = noise.next();
        float vary = 0.875f + (random >>> 56) / 1024f;
        float scale = deviation / quantDeviation * vary;
        return Float.floatToFloat16((random & 1) == 0 ? scale : -scale);
    }

    private static void quants(ByteBuffer out, Noise noise, int count) {
        for (int i = 0; i < count; i += Long.BYTES) {
            out.putLong(noise.next());
        }
    }

    /**
     * Subscale times (quant - 7.5): each subscale is its own minimum, the minima 7.5 times as big.
     */
    private void q4k(ByteBuffer out, Noise noise) {
        float scale = deviation / (DEVIATION_4_BITS * MEAN_SUBSCALE);
        out.putShort(Float.floatToFloat16(scale));
        out.putShort(Float.floatToFloat16(scale * MIDDLE_4_BITS));
        long random = noise.next();
        int[] sub = new int[K_SUBSCALES];
        for (int i = 0; i < K_SUBSCALES; i++) {
            sub[i] = subscale(random >>> (i * Byte.SIZE));
        }
        byte[] packed = new byte[12];
        for (int i = 0; i < 4; i++) {
            int high = sub[i + 4] >> 4 << 6;
            packed[i] = (byte) (sub[i] | high);
            packed[i + 4] = (byte) (sub[i] | high);
            int low = sub[i + 4] & 0xF;
            packed[i + 8] = (byte) (low | low << 4);
        }
        out.put(packed);
        quants(out, noise, 128);
    }

    private void q6k(ByteBuffer out, Noise noise) {
        quants(out, noise, 192);
        for (int i = 0; i < Q6_SUBSCALES; i += Long.BYTES) {
            long random = noise.next();
            for (int j = 0; j < Long.BYTES; j++) {
                int sub = subscale(random >>> (j * Byte.SIZE));
                out.put((byte) ((random >>> (j * Byte.SIZE) & 0x80) == 0 ? sub : -sub));
            }
        }
        out.putShort(Float.floatToFloat16(deviation / (DEVIATION_6_BITS * MEAN_SUBSCALE)));
    }

    /** From 16 to 47. */
    private static int subscale(long random) {
        return 16 + (int) (random & 31);
    }
}
