package coop.sahkar.worker.gguf;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The key-value pairs of a GGUF file: their exact bytes, checked once, and an index into them.
 * Values are decoded when asked for, so a vocabulary of hundreds of thousands of tokens costs its
 * bytes and no more.
 */
public final class Metadata {
    private final byte[] encoded;
    private final Map<String, Entry> entries;

    /** Where a value lies in the encoded bytes, without its key and type number. */
    record Entry(ValueType type, int valueStart, int valueEnd) {}

    Metadata(byte[] encoded, Map<String, Entry> entries) {
        this.encoded = encoded;
        this.entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    }

    /**
     * Checks and indexes the bytes of a key-value section.
     *
     * @param encoded key-value pairs as a GGUF v2 or v3 file holds them, nothing before or after
     * @param what what the bytes are, as error messages should call it
     */
    public static Metadata decode(byte[] encoded, String what) throws GgufException {
        byte[] own = encoded.clone();
        GgufCursor cursor = new GgufCursor(MemorySegment.ofArray(own), what);
        return new Metadata(own, MetadataScan.untilEnd(cursor));
    }

    /** The bytes of the key-value section, as in the file. */
    public byte[] encoded() {
        return encoded.clone();
    }

    /** How many bytes {@link #encoded} has. */
    public int encodedBytes() {
        return encoded.length;
    }

    /** The keys, in the file's order. */
    public Set<String> keys() {
        return entries.keySet();
    }

    /** How the value of {@code key} is stored, or empty if there is no such key. */
    public Optional<ValueType> type(String key) {
        return Optional.ofNullable(entries.get(key)).map(Entry::type);
    }

    /** The value of {@code key}, decoded. */
    public Optional<MetadataValue> value(String key) {
        return Optional.ofNullable(entries.get(key)).map(this::decode);
    }

    /** The string under {@code key}; empty if there is none or it is of another type. */
    public Optional<String> text(String key) {
        return value(key, ValueType.STRING)
                .map(value -> value instanceof MetadataValue.Text text ? text.value() : "");
    }

    /** The integer under {@code key}; empty if there is none or it is of another type. */
    public OptionalLong whole(String key) {
        Entry entry = entries.get(key);
        if (entry == null || entry.type() == ValueType.ARRAY || entry.type() == ValueType.STRING) {
            return OptionalLong.empty();
        }
        return decode(entry) instanceof MetadataValue.Whole whole
                ? OptionalLong.of(whole.value())
                : OptionalLong.empty();
    }

    /** The array under {@code key}, decoded; empty if there is none or it is of another type. */
    public Optional<MetadataValue.Sequence> sequence(String key) {
        return value(key, ValueType.ARRAY)
                .filter(MetadataValue.Sequence.class::isInstance)
                .map(MetadataValue.Sequence.class::cast);
    }

    /** The kind of items in the array under {@code key}; empty if there is no array. */
    public Optional<ValueType> elementType(String key) {
        return Optional.ofNullable(entries.get(key))
                .filter(entry -> entry.type() == ValueType.ARRAY)
                .map(entry -> MetadataScan.elementOfArray(encoded, entry));
    }

    /**
     * The items of the array under {@code key}, if it has exactly {@code count} and each is an
     * integer; nothing is decoded otherwise.
     */
    public Optional<List<Long>> wholes(String key, int count) {
        if (sequenceLength(key) != count || !elementType(key).orElseThrow().isWhole()) {
            return Optional.empty();
        }
        return sequence(key)
                .map(sequence ->
                        sequence.items().stream()
                                .map(item -> ((MetadataValue.Whole) item).value())
                                .toList());
    }

    /** How many items the array under {@code key} has, without decoding it; 0 if there is none. */
    public long sequenceLength(String key) {
        Entry entry = entries.get(key);
        if (entry == null || entry.type() != ValueType.ARRAY) {
            return 0;
        }
        return MetadataScan.lengthOfArray(encoded, entry);
    }

    /** The encoded value of {@code key}, for a copy into other metadata. */
    byte[] encodedValue(String key) {
        Entry entry = entries.get(key);
        if (entry == null) {
            throw new IllegalArgumentException("no key " + key);
        }
        return Arrays.copyOfRange(encoded, entry.valueStart(), entry.valueEnd());
    }

    byte[] encodedShared() {
        return encoded;
    }

    private Optional<MetadataValue> value(String key, ValueType wanted) {
        return Optional.ofNullable(entries.get(key))
                .filter(entry -> entry.type() == wanted)
                .map(this::decode);
    }

    private MetadataValue decode(Entry entry) {
        return MetadataScan.decode(encoded, entry);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Metadata that && Arrays.equals(encoded, that.encoded);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(encoded);
    }

    @Override
    public String toString() {
        return "Metadata of " + entries.size() + " keys in " + encoded.length + " bytes";
    }
}
