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

    // Of absolute values as bits, those of infinity and of what is no number are largest. The bits
    // are copied into arrays first: loops over those are fast before the JIT has seen them often.
    private static final int FLOAT_ABSOLUTE = 0x7fff_ffff;
    private static final int FLOAT_INFINITY = 0x7f80_0000;
    private static final int HALF_ABSOLUTE = 0x7fff;
    private static final int HALF_INFINITY = 0x7c00;

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
        ByteBuffer bytes = frame.hidden().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        return switch (frame.codec()) {
            case F32 -> {
                int[] bits = new int[bytes.remaining() / Float.BYTES];
                bytes.asIntBuffer().get(bits);
                int largest = 0;
                for (int one : bits) {
                    largest = Math.max(largest, one & FLOAT_ABSOLUTE);
                }
                yield largest < FLOAT_INFINITY;
            }
            case F16 -> {
                short[] bits = new short[bytes.remaining() / Short.BYTES];
                bytes.asShortBuffer().get(bits);
                int largest = 0;
                for (short one : bits) {
                    largest = Math.max(largest, one & HALF_ABSOLUTE);
                }
                yield largest < HALF_INFINITY;
            }
        };
    }

    /** Copies {@code count} rows of a frame, from its row {@code from} on, into a batch. */
    static void read(Frame frame, int from, int count, int width, MemorySegment into, int row) {
        int rowBytes = width * frame.codec().bytesPerValue();
        ByteBuffer all = frame.hidden();
        ByteBuffer rows = all.slice(all.position() + from * rowBytes, count * rowBytes);
        long floats = (long) width * Float.BYTES;
        ByteBuffer target = into.asSlice(row * floats, count * floats).asByteBuffer();
        coop.sahkar.proto.HiddenStates.decode(rows, frame.codec(), target);
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
