package coop.sahkar.worker.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads little-endian fields one after the other and says, in a sentence, where a file ends too
 * early. Nothing is allocated before the bytes it would hold are known to be there.
 */
final class GgufCursor {
    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Characters of a message that quotes a file. */
    private static final int MAX_SHOWN = 300;

    private final MemorySegment data;
    private final String file;
    private long position;

    /**
     * @param file what the bytes are, as error messages should call it
     */
    GgufCursor(MemorySegment data, String file) {
        this.data = data;
        this.file = file;
    }

    long position() {
        return position;
    }

    void moveTo(long newPosition) {
        position = newPosition;
    }

    long remaining() {
        return data.byteSize() - position;
    }

    MemorySegment slice(long from, long bytes) {
        return data.asSlice(from, bytes);
    }

    GgufException refuse(String problem) {
        return new GgufException(
                "%s is not a usable GGUF file: %s (at byte %d)"
                        .formatted(file, shown(problem), position));
    }

    /** Text that may quote a hostile file, fit to be shown. */
    static String shown(String text) {
        String start = text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "…";
        return start.replaceAll("\\p{Cntrl}", "?");
    }

    void need(long bytes, String what) throws GgufException {
        if (bytes < 0 || bytes > remaining()) {
            throw refuse(
                    "it ends inside %s, which needs %s more bytes; %d are left"
                            .formatted(what, Long.toUnsignedString(bytes), remaining()));
        }
    }

    void skip(long bytes, String what) throws GgufException {
        need(bytes, what);
        position += bytes;
    }

    int u8(String what) throws GgufException {
        need(1, what);
        return Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, position++));
    }

    int u16(String what) throws GgufException {
        need(2, what);
        int value = Short.toUnsignedInt(data.get(U16, position));
        position += 2;
        return value;
    }

    int u32(String what) throws GgufException {
        need(4, what);
        int value = data.get(U32, position);
        position += 4;
        return value;
    }

    long u64(String what) throws GgufException {
        need(8, what);
        long value = data.get(U64, position);
        position += 8;
        return value;
    }

    /** A count of things that take at least {@code bytesEach} bytes, all of them still to come. */
    long count(long bytesEach, String what) throws GgufException {
        long count = u64("the number of " + what);
        if (count < 0 || count > remaining() / bytesEach) {
            throw refuse(
                    "it claims %s %s, more than its %d remaining bytes can hold"
                            .formatted(Long.toUnsignedString(count), what, remaining()));
        }
        return count;
    }

    /** A string of at most {@code maxBytes} bytes. */
    String text(long maxBytes, String what) throws GgufException {
        long bytes = textLength(maxBytes, what);
        String text = decode(bytes, what);
        position += bytes;
        return text;
    }

    /** Checks a string and moves past it without keeping it. */
    void skipText(long maxBytes, String what) throws GgufException {
        long bytes = textLength(maxBytes, what);
        if (!isAscii(bytes)) {
            decode(bytes, what);
        }
        position += bytes;
    }

    private long textLength(long maxBytes, String what) throws GgufException {
        long bytes = u64("the length of " + what);
        need(bytes, what);
        if (bytes > maxBytes) {
            throw refuse("%s has %d bytes; at most %d are taken".formatted(what, bytes, maxBytes));
        }
        return bytes;
    }

    private boolean isAscii(long bytes) {
        for (long i = 0; i < bytes; i++) {
            if (data.get(ValueLayout.JAVA_BYTE, position + i) < 0) {
                return false;
            }
        }
        return true;
    }

    private String decode(long bytes, String what) throws GgufException {
        ByteBuffer slice = data.asSlice(position, bytes).asByteBuffer();
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(slice).toString();
        } catch (CharacterCodingException e) {
            throw refuse(what + " is not valid UTF-8");
        }
    }
}
