package coop.sahkar.worker.ring;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import coop.sahkar.proto.Limits;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a link's bytes into messages: four bytes of length, big-endian, then so many bytes. A length
 * of 0 says that the sender lives. Grows with the bytes that came, never with a length that was
 * claimed. Not safe for more than one thread at once.
 */
final class FrameBytes {
    /** Bytes before each message. */
    static final int HEADER_BYTES = Integer.BYTES;

    private static final int USUAL_BYTES = 64 * 1024;

    private byte[] bytes = new byte[USUAL_BYTES];
    private int from;
    private int to;

    /**
     * Puts a message and its length into {@code into}, which has room for both.
     *
     * @param size bytes of the message
     */
    static void write(MessageLite message, int size, ByteBuffer into) {
        into.putInt(size);
        try {
            CodedOutputStream coded = CodedOutputStream.newInstance(into);
            message.writeTo(coded);
            coded.flush();
        } catch (IOException e) {
            throw new IllegalStateException("a message larger than it said", e);
        }
    }

    /** Where the next bytes are to be put; {@link #came} says how many were. */
    ByteBuffer room(int count) {
        if (from == to && bytes.length > USUAL_BYTES && count <= USUAL_BYTES) {
            bytes = new byte[USUAL_BYTES];
            from = 0;
            to = 0;
        }
        if (bytes.length - to < count) {
            byte[] target =
                    to - from + count > bytes.length
                            ? new byte[Math.max(2 * bytes.length, to - from + count)]
                            : bytes;
            System.arraycopy(bytes, from, target, 0, to - from);
            to -= from;
            from = 0;
            bytes = target;
        }
        return ByteBuffer.wrap(bytes, to, count);
    }

    /** So many bytes were put into the room. */
    void came(int count) {
        to += count;
    }

    /** The next whole message, or null when more bytes must come first. */
    byte @Nullable [] next() throws LinkViolation {
        while (to - from >= HEADER_BYTES) {
            int length = ByteBuffer.wrap(bytes, from, HEADER_BYTES).getInt();
            if (length < 0 || length > Limits.MAX_MESSAGE_BYTES) {
                throw new LinkViolation(
                        "A message of %s bytes was announced; at most %d are allowed."
                                .formatted(
                                        Integer.toUnsignedString(length),
                                        Limits.MAX_MESSAGE_BYTES));
            }
            if (to - from - HEADER_BYTES < length) {
                return null;
            }
            int begin = from + HEADER_BYTES;
            from = begin + length;
            if (length > 0) {
                return Arrays.copyOfRange(bytes, begin, from);
            }
        }
        return null;
    }

    /** Forgets what has come. */
    void drop() {
        from = 0;
        to = 0;
    }
}
