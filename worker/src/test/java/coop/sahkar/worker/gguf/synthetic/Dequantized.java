package coop.sahkar.worker.gguf.synthetic;

import coop.sahkar.worker.gguf.TensorType;
import java.nio.ByteBuffer;

/** The numbers that blocks of a type stand for, written from the formats' descriptions. */
final class Dequantized {
    private Dequantized() {}

    static float[] of(TensorType type, ByteBuffer data, int count) {
        float[] numbers = new float[count];
        for (int at = 0; at < count; at += type.blockElements()) {
            switch (type) {
                case F32 -> numbers[at] = data.getFloat();
                case F16 -> numbers[at] = half(data);
                case BF16 -> numbers[at] = Float.intBitsToFloat(data.getShort() << 16);
                case Q8_0 -> q80(data, numbers, at);
                case Q4_0 -> q40(data, numbers, at);
                case Q4_K -> q4k(data, numbers, at);
                case Q6_K -> q6k(data, numbers, at);
                default -> throw new IllegalArgumentException(type.toString());
            }
        }
        return numbers;
    }

    private static float half(ByteBuffer data) {
        return Float.float16ToFloat(data.getShort());
    }

    private static void q80(ByteBuffer data, float[] out, int at) {
        float scale = half(data);
        for (int i = 0; i < 32; i++) {
            out[at + i] = scale * data.get();
        }
    }

    private static void q40(ByteBuffer data, float[] out, int at) {
        float scale = half(data);
        for (int i = 0; i < 16; i++) {
            int quants = data.get();
            out[at + i] = scale * ((quants & 0xF) - 8);
            out[at + i + 16] = scale * (((quants >> 4) & 0xF) - 8);
        }
    }

    private static void q4k(ByteBuffer data, float[] out, int at) {
        float scale = half(data);
        float minimum = half(data);
        int[] packed = new int[12];
        for (int i = 0; i < packed.length; i++) {
            packed[i] = Byte.toUnsignedInt(data.get());
        }
        for (int pair = 0; pair < 4; pair++) {
            float[] scales = new float[2];
            float[] minima = new float[2];
            for (int half = 0; half < 2; half++) {
                int sub = 2 * pair + half;
                boolean low = sub < 4;
                scales[half] =
                        scale
                                * (low
                                        ? packed[sub] & 63
                                        : (packed[sub + 4] & 15) | ((packed[sub - 4] >> 6) << 4));
                minima[half] =
                        minimum
                                * (low
                                        ? packed[sub + 4] & 63
                                        : (packed[sub + 4] >> 4) | ((packed[sub] >> 6) << 4));
            }
            for (int i = 0; i < 32; i++) {
                int quants = Byte.toUnsignedInt(data.get());
                out[at + 64 * pair + i] = scales[0] * (quants & 15) - minima[0];
                out[at + 64 * pair + 32 + i] = scales[1] * (quants >> 4) - minima[1];
            }
        }
    }

    private static void q6k(ByteBuffer data, float[] out, int at) {
        int start = data.position();
        float scale = Float.float16ToFloat(data.getShort(start + 208));
        for (int i = 0; i < 256; i++) {
            int part = i / 128;
            int quarter = i % 128 / 32;
            int column = i % 32;
            int low = data.get(start + 64 * part + 32 * (quarter % 2) + column);
            int high = (data.get(start + 128 + 32 * part + column) >> (2 * quarter)) & 3;
            int quant = (quarter < 2 ? low & 15 : (low >> 4) & 15) | (high << 4);
            int subscale = data.get(start + 192 + i / 16);
            out[at + i] = scale * subscale * (quant - 32);
        }
        data.position(start + 210);
    }
}
