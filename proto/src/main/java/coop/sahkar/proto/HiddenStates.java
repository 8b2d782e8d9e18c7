package coop.sahkar.proto;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/**
 * Writes and reads hidden states in the codecs of {@link HiddenCodec}. Buffers are used from
 * position to limit, little-endian whatever their own order says, and are left as they were.
 */
public final class HiddenStates {
    // Loops over arrays of this length are what the JIT turns into vector conversions.
    private static final int RUN = 1024;

    private HiddenStates() {}

    /**
     * Bytes of {@code positions} hidden states.
     *
     * @throws IllegalArgumentException in a sentence, when a number is out of its limits
     */
    public static int bytes(HiddenCodec codec, int positions, int width) {
        if (positions < 1 || positions > Limits.MAX_FRAME_POSITIONS) {
            throw new IllegalArgumentException(
                    "a frame carries 1 to %d positions, not %d"
                            .formatted(Limits.MAX_FRAME_POSITIONS, positions));
        }
        if (width < 1 || width > Limits.MAX_WIDTH) {
            throw new IllegalArgumentException(
                    "a hidden state has 1 to %d floats, not %d".formatted(Limits.MAX_WIDTH, width));
        }
        long bytes = (long) positions * width * codec.bytesPerValue();
        if (bytes > Limits.MAX_FRAME_BYTES) {
            throw new IllegalArgumentException(
                    "a frame carries at most %d bytes, not %d"
                            .formatted(Limits.MAX_FRAME_BYTES, bytes));
        }
        return (int) bytes;
    }

    /**
     * Rewrites F32 values in {@code codec}: the same buffer's content for F32, else a new buffer.
     */
    public static ByteBuffer encode(ByteBuffer f32, HiddenCodec codec) {
        return switch (codec) {
            case F32 -> f32.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
            case F16 -> toF16(f32);
        };
    }

    /**
     * Writes values that stand in {@code codec} as F32 to {@code target}.
     *
     * @param target has room for exactly as many F32 values as {@code source} holds, or more
     */
    public static void decode(ByteBuffer source, HiddenCodec codec, ByteBuffer target) {
        int count = source.remaining() / codec.bytesPerValue();
        if (source.remaining() % codec.bytesPerValue() != 0
                || (long) count * Float.BYTES > target.remaining()) {
            throw new IllegalArgumentException(
                    "%d bytes of %s do not fit %d bytes of F32"
                            .formatted(source.remaining(), codec, target.remaining()));
        }
        switch (codec) {
            case F32 -> target.duplicate().put(source.duplicate());
            case F16 -> fromF16(source, target);
        }
    }

    private static ByteBuffer toF16(ByteBuffer f32) {
        FloatBuffer in = f32.duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        int count = in.remaining();
        ByteBuffer result = ByteBuffer.allocate(count * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        ShortBuffer out = result.asShortBuffer();
        float[] wide = new float[Math.min(RUN, count)];
        short[] narrow = new short[wide.length];
        for (int done = 0; done < count; done += RUN) {
            int run = Math.min(RUN, count - done);
            in.get(wide, 0, run);
            narrow(wide, narrow, run);
            out.put(narrow, 0, run);
        }
        return result;
    }

    private static void fromF16(ByteBuffer source, ByteBuffer target) {
        ShortBuffer in = source.duplicate().order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
        FloatBuffer out = target.duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        int count = in.remaining();
        float[] wide = new float[Math.min(RUN, count)];
        short[] narrow = new short[wide.length];
        for (int done = 0; done < count; done += RUN) {
            int run = Math.min(RUN, count - done);
            in.get(narrow, 0, run);
            widen(narrow, wide, run);
            out.put(wide, 0, run);
        }
    }

    private static void narrow(float[] wide, short[] narrow, int count) {
        for (int i = 0; i < count; i++) {
            narrow[i] = Float.floatToFloat16(wide[i]);
        }
    }

    private static void widen(short[] narrow, float[] wide, int count) {
        for (int i = 0; i < count; i++) {
            wide[i] = Float.float16ToFloat(narrow[i]);
        }
    }
}
