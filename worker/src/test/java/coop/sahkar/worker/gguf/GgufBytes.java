package coop.sahkar.worker.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes the bytes of GGUF files field by field, right or wrong. */
final class GgufBytes {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    static GgufBytes header(int version, long tensors, long pairs) {
        return new GgufBytes().raw("GGUF").u32(version).u64(tensors).u64(pairs);
    }

    GgufBytes raw(String ascii) {
        bytes.writeBytes(ascii.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    GgufBytes u8(int value) {
        bytes.write(value);
        return this;
    }

    GgufBytes u32(int value) {
        bytes.writeBytes(
                ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
        return this;
    }

    GgufBytes u64(long value) {
        bytes.writeBytes(
                ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        return this;
    }

    GgufBytes text(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        u64(utf8.length);
        bytes.writeBytes(utf8);
        return this;
    }

    GgufBytes tensor(String name, int type, long offset, long... shape) {
        text(name).u32(shape.length);
        for (long length : shape) {
            u64(length);
        }
        return u32(type).u64(offset);
    }

    /** Zeros up to the next multiple of 32, then {@code count} bytes of data. */
    GgufBytes data(int count) {
        while (bytes.size() % 32 != 0) {
            bytes.write(0);
        }
        for (int i = 0; i < count; i++) {
            bytes.write(i);
        }
        return this;
    }

    byte[] done() {
        return bytes.toByteArray();
    }
}
