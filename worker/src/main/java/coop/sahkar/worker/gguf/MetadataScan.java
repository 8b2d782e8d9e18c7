package coop.sahkar.worker.gguf;

import coop.sahkar.proto.Limits;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Walks the key-value section of a GGUF file: once to check and index it, later to decode. */
final class MetadataScan {
    static final int MAX_KEYS = 65_536;
    static final int MAX_KEY_BYTES = 65_535;

    /** Arrays in arrays, counting the outermost; published files use one. */
    static final int MAX_NESTING = 4;

    private static final int LENGTH_BYTES = 8;
    private static final int ARRAY_HEADER_BYTES = 12;

    private final GgufCursor cursor;
    private final long start;
    private final Map<String, Metadata.Entry> entries = new LinkedHashMap<>();

    private MetadataScan(GgufCursor cursor) {
        this.cursor = cursor;
        this.start = cursor.position();
    }

    /** Reads {@code count} pairs and copies their bytes, which must stay within the limits. */
    static Metadata read(GgufCursor cursor, long count) throws GgufException {
        if (count > MAX_KEYS) {
            throw cursor.refuse(
                    "it claims %d metadata keys; at most %d are taken".formatted(count, MAX_KEYS));
        }
        MetadataScan scan = new MetadataScan(cursor);
        for (long i = 0; i < count; i++) {
            scan.pair();
        }
        byte[] bytes = new byte[(int) (cursor.position() - scan.start)];
        MemorySegment source = cursor.slice(scan.start, bytes.length);
        MemorySegment.copy(source, 0, MemorySegment.ofArray(bytes), 0, bytes.length);
        return new Metadata(bytes, scan.entries);
    }

    /** Reads pairs up to the end of the bytes. */
    static Map<String, Metadata.Entry> untilEnd(GgufCursor cursor) throws GgufException {
        MetadataScan scan = new MetadataScan(cursor);
        while (cursor.remaining() > 0) {
            if (scan.entries.size() == MAX_KEYS) {
                throw cursor.refuse("it has more than " + MAX_KEYS + " metadata keys");
            }
            scan.pair();
        }
        return scan.entries;
    }

    private void pair() throws GgufException {
        String key = cursor.text(MAX_KEY_BYTES, "a metadata key");
        String what = "the value of " + key;
        ValueType type = type("the type of " + key);
        long valueStart = cursor.position() - start;
        skip(type, what, 0);
        long valueEnd = cursor.position() - start;
        if (valueEnd > Limits.MAX_MANIFEST_BYTES) {
            throw cursor.refuse(
                    "its metadata is larger than %d bytes".formatted(Limits.MAX_MANIFEST_BYTES));
        }
        Metadata.Entry entry = new Metadata.Entry(type, (int) valueStart, (int) valueEnd);
        if (entries.putIfAbsent(key, entry) != null) {
            throw cursor.refuse("the metadata key " + key + " stands in it twice");
        }
    }

    private ValueType type(String what) throws GgufException {
        int id = cursor.u32(what);
        return ValueType.ofId(id)
                .orElseThrow(() ->
                        cursor.refuse(
                                "%s is %s, which no version of GGUF has"
                                        .formatted(what, Integer.toUnsignedString(id))));
    }

    private void skip(ValueType type, String what, int depth) throws GgufException {
        switch (type) {
            case STRING -> cursor.skipText(Limits.MAX_MANIFEST_BYTES, what);
            case ARRAY -> skipArray(what, depth + 1);
            case BOOL -> skipFlag(what);
            case U8, I8, U16, I16, U32, I32, F32, U64, I64, F64 -> cursor.skip(type.bytes(), what);
        }
    }

    private void skipArray(String what, int depth) throws GgufException {
        if (depth > MAX_NESTING) {
            throw cursor.refuse("%s holds arrays more than %d deep".formatted(what, MAX_NESTING));
        }
        ValueType element = type("the element type of " + what);
        long count = cursor.count(leastBytes(element), "elements in " + what);
        switch (element) {
            case STRING, ARRAY, BOOL -> {
                for (long i = 0; i < count; i++) {
                    skip(element, what, depth);
                }
            }
            case U8, I8, U16, I16, U32, I32, F32, U64, I64, F64 ->
                    cursor.skip(count * element.bytes(), what);
        }
    }

    private void skipFlag(String what) throws GgufException {
        int value = cursor.u8(what);
        if (value > 1) {
            throw cursor.refuse("%s is %d, which is neither true nor false".formatted(what, value));
        }
    }

    private static int leastBytes(ValueType element) {
        return switch (element) {
            case STRING -> LENGTH_BYTES;
            case ARRAY -> ARRAY_HEADER_BYTES;
            case BOOL, U8, I8, U16, I16, U32, I32, F32, U64, I64, F64 -> element.bytes();
        };
    }

    /** The kind of items of a checked array. */
    static ValueType elementOfArray(byte[] encoded, Metadata.Entry entry) {
        try {
            return ValueType.ofId(at(encoded, entry).u32("type")).orElseThrow();
        } catch (GgufException e) {
            throw new IllegalStateException("metadata changed after it was checked", e);
        }
    }

    /** The number of items of a checked array. */
    static long lengthOfArray(byte[] encoded, Metadata.Entry entry) {
        GgufCursor cursor = at(encoded, entry);
        try {
            cursor.u32("type");
            return cursor.u64("count");
        } catch (GgufException e) {
            throw new IllegalStateException("metadata changed after it was checked", e);
        }
    }

    /** A checked value. */
    static MetadataValue decode(byte[] encoded, Metadata.Entry entry) {
        try {
            return decode(at(encoded, entry), entry.type());
        } catch (GgufException e) {
            throw new IllegalStateException("metadata changed after it was checked", e);
        }
    }

    private static GgufCursor at(byte[] encoded, Metadata.Entry entry) {
        GgufCursor cursor = new GgufCursor(MemorySegment.ofArray(encoded), "the metadata");
        cursor.moveTo(entry.valueStart());
        return cursor;
    }

    private static MetadataValue decode(GgufCursor cursor, ValueType type) throws GgufException {
        String what = "a value";
        return switch (type) {
            case U8 -> new MetadataValue.Whole(type, cursor.u8(what));
            case I8 -> new MetadataValue.Whole(type, (byte) cursor.u8(what));
            case U16 -> new MetadataValue.Whole(type, cursor.u16(what));
            case I16 -> new MetadataValue.Whole(type, (short) cursor.u16(what));
            case U32 -> new MetadataValue.Whole(type, Integer.toUnsignedLong(cursor.u32(what)));
            case I32 -> new MetadataValue.Whole(type, cursor.u32(what));
            case U64, I64 -> new MetadataValue.Whole(type, cursor.u64(what));
            case F32 -> new MetadataValue.Real(type, Float.intBitsToFloat(cursor.u32(what)));
            case F64 -> new MetadataValue.Real(type, Double.longBitsToDouble(cursor.u64(what)));
            case BOOL -> new MetadataValue.Flag(cursor.u8(what) != 0);
            case STRING -> new MetadataValue.Text(cursor.text(Limits.MAX_MANIFEST_BYTES, what));
            case ARRAY -> decodeArray(cursor);
        };
    }

    private static MetadataValue decodeArray(GgufCursor cursor) throws GgufException {
        ValueType element = ValueType.ofId(cursor.u32("a type")).orElseThrow();
        int count = (int) cursor.u64("a count");
        List<MetadataValue> items = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            items.add(decode(cursor, element));
        }
        return new MetadataValue.Sequence(element, items);
    }
}
