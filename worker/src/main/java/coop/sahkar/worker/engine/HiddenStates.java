package coop.sahkar.worker.engine;

import coop.sahkar.proto.Limits;
import coop.sahkar.worker.engine.StageMessage.Frame;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/** Hidden states between the bytes of a frame and the floats of a batch. */
final class HiddenStates {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort HALF =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** All bits of the exponent: infinity or no number. */
    private static final int HALF_EXPONENT = 0x7c00;

    private HiddenStates() {}

    /** What is wrong with a frame from another stage, in a sentence; null if nothing is. */
    static @Nullable String fault(Frame frame, StageShape shape, int maxPositions) {
        int width = shape.width();
        int rows = frame.tokens().length;
        if (rows < 1 || rows > Limits.MAX_FRAME_POSITIONS) {
            return "A frame carries %d positions; 1 to %d are allowed."
                    .formatted(rows, Limits.MAX_FRAME_POSITIONS);
        }
        if (frame.firstPosition() < 0 || frame.firstPosition() > maxPositions - rows) {
            return "A frame covers positions %d to %d; the session's ticket allows %d."
                    .formatted(
                            frame.firstPosition(),
                            (long) frame.firstPosition() + rows,
                            maxPositions);
        }
        long bytes = (long) rows * width * frame.codec().bytesPerValue();
        if (frame.hidden().remaining() != bytes) {
            return "A frame of %d positions has %d bytes of hidden states; width %d makes %d."
                    .formatted(rows, frame.hidden().remaining(), width, bytes);
        }
        if (!finite(frame)) {
            return "A frame from position %d on carries hidden states that are no numbers."
                    .formatted(frame.firstPosition());
        }
        for (int token : frame.tokens()) {
            if (shape.tail() && (token < 0 || token >= shape.vocabulary())) {
                return "A frame names token %d; the vocabulary has %d."
                        .formatted(token, shape.vocabulary());
            }
        }
        return null;
    }

    /** Whether all values are numbers: one that is not would fail every session of its batch. */
    private static boolean finite(Frame frame) {
        MemorySegment bytes = MemorySegment.ofBuffer(frame.hidden());
        boolean finite = true;
        switch (frame.codec()) {
            case F32 -> {
                for (long at = 0; at < bytes.byteSize(); at += Float.BYTES) {
                    finite &= Math.abs(bytes.get(FLOAT, at)) <= Float.MAX_VALUE;
                }
            }
            case F16 -> {
                for (long at = 0; at < bytes.byteSize(); at += Short.BYTES) {
                    finite &= (bytes.get(HALF, at) & HALF_EXPONENT) != HALF_EXPONENT;
                }
            }
        }
        return finite;
    }

    /** Copies {@code count} rows of a frame, from its row {@code from} on, into a batch. */
    static void read(Frame frame, int from, int count, int width, MemorySegment into, int row) {
        MemorySegment bytes = MemorySegment.ofBuffer(frame.hidden());
        long values = (long) count * width;
        long source = (long) from * width;
        long target = (long) row * width;
        switch (frame.codec()) {
            case F32 ->
                    MemorySegment.copy(
                            bytes,
                            FLOAT,
                            source * Float.BYTES,
                            into,
                            ValueLayout.JAVA_FLOAT,
                            target * Float.BYTES,
                            values);
            case F16 -> {
                for (long i = 0; i < values; i++) {
                    short half = bytes.get(HALF, (source + i) * Short.BYTES);
                    into.setAtIndex(ValueLayout.JAVA_FLOAT, target + i, Float.float16ToFloat(half));
                }
            }
        }
    }

    /** Copies {@code count} rows of a batch's result, from {@code row} on, into F32 bytes. */
    static ByteBuffer write(MemorySegment results, int row, int count, int width) {
        byte[] bytes = new byte[Math.multiplyExact(count * width, Float.BYTES)];
        MemorySegment.copy(
                results,
                ValueLayout.JAVA_FLOAT,
                (long) row * width * Float.BYTES,
                MemorySegment.ofArray(bytes),
                FLOAT,
                0,
                (long) count * width);
        return ByteBuffer.wrap(bytes).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
}
