package coop.sahkar.worker.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Makes {@link Metadata}. Keys keep the order in which they were first put; putting one again
 * replaces its value. Not safe for use by many threads.
 */
public final class MetadataBuilder {
    private final Map<String, Pair> pairs = new LinkedHashMap<>();

    private record Pair(ValueType type, ByteBuffer value) {}

    /** Takes over the pairs of {@code source} whose keys are wanted, byte for byte. */
    public MetadataBuilder copy(Metadata source, Predicate<String> wanted) {
        for (String key : source.keys()) {
            if (wanted.test(key)) {
                ValueType type = source.type(key).orElseThrow();
                pairs.put(key, new Pair(type, ByteBuffer.wrap(source.encodedValue(key))));
            }
        }
        return this;
    }

    public MetadataBuilder put(String key, MetadataValue value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        write(bytes, value);
        pairs.put(key, new Pair(value.type(), ByteBuffer.wrap(bytes.toByteArray())));
        return this;
    }

    public MetadataBuilder text(String key, String value) {
        return put(key, new MetadataValue.Text(value));
    }

    public MetadataBuilder u32(String key, long value) {
        return put(key, new MetadataValue.Whole(ValueType.U32, value));
    }

    public MetadataBuilder f32(String key, double value) {
        return put(key, new MetadataValue.Real(ValueType.F32, value));
    }

    public MetadataBuilder flag(String key, boolean value) {
        return put(key, new MetadataValue.Flag(value));
    }

    public MetadataBuilder sequence(String key, ValueType element, List<MetadataValue> items) {
        return put(key, new MetadataValue.Sequence(element, items));
    }

    public Metadata build() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Map<String, Metadata.Entry> entries = new LinkedHashMap<>();
        pairs.forEach((key, pair) -> {
            write(bytes, key);
            writeLong(bytes, pair.type().id(), Integer.BYTES);
            int start = bytes.size();
            bytes.writeBytes(pair.value().array());
            entries.put(key, new Metadata.Entry(pair.type(), start, bytes.size()));
        });
        return new Metadata(bytes.toByteArray(), entries);
    }

    private static void write(ByteArrayOutputStream bytes, MetadataValue value) {
        switch (value) {
            case MetadataValue.Whole(ValueType type, long number) ->
                    writeLong(bytes, number, type.bytes());
            case MetadataValue.Real(ValueType type, double number) ->
                    writeLong(
                            bytes,
                            type == ValueType.F32
                                    ? Float.floatToRawIntBits((float) number)
                                    : Double.doubleToRawLongBits(number),
                            type.bytes());
            case MetadataValue.Flag(boolean flag) -> bytes.write(flag ? 1 : 0);
            case MetadataValue.Text(String text) -> write(bytes, text);
            case MetadataValue.Sequence(ValueType element, List<MetadataValue> items) -> {
                writeLong(bytes, element.id(), Integer.BYTES);
                writeLong(bytes, items.size(), Long.BYTES);
                items.forEach(item -> write(bytes, item));
            }
        }
    }

    private static void write(ByteArrayOutputStream bytes, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        writeLong(bytes, utf8.length, Long.BYTES);
        bytes.writeBytes(utf8);
    }

    private static void writeLong(ByteArrayOutputStream bytes, long value, int count) {
        byte[] all = new byte[Long.BYTES];
        ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
        bytes.write(all, 0, count);
    }
}
