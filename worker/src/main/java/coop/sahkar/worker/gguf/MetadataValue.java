package coop.sahkar.worker.gguf;

import java.util.List;

/** The value of a GGUF key. */
public sealed interface MetadataValue {
    /** How it is stored. */
    ValueType type();

    /**
     * An integer.
     *
     * @param value the number; of a {@code U64} beyond {@link Long#MAX_VALUE}, its bits
     */
    record Whole(ValueType type, long value) implements MetadataValue {}

    /** A floating-point number. */
    record Real(ValueType type, double value) implements MetadataValue {}

    /** A truth value. */
    record Flag(boolean value) implements MetadataValue {
        @Override
        public ValueType type() {
            return ValueType.BOOL;
        }
    }

    /** A string. */
    record Text(String value) implements MetadataValue {
        @Override
        public ValueType type() {
            return ValueType.STRING;
        }
    }

    /**
     * An array; arrays may hold arrays.
     *
     * @param element the type of every item
     */
    record Sequence(ValueType element, List<MetadataValue> items) implements MetadataValue {
        public Sequence {
            items = List.copyOf(items);
        }

        @Override
        public ValueType type() {
            return ValueType.ARRAY;
        }
    }
}
