package coop.sahkar.worker.gguf;

import java.util.List;
import java.util.Optional;

/** The kinds of value a GGUF key may have, with their numbers in the file. */
public enum ValueType {
    U8(0, 1),
    I8(1, 1),
    U16(2, 2),
    I16(3, 2),
    U32(4, 4),
    I32(5, 4),
    F32(6, 4),
    BOOL(7, 1),
    STRING(8, 0),
    ARRAY(9, 0),
    U64(10, 8),
    I64(11, 8),
    F64(12, 8);

    private static final List<ValueType> ALL = List.of(values());

    private final int id;
    private final int bytes;

    ValueType(int id, int bytes) {
        this.id = id;
        this.bytes = bytes;
    }

    /** The number that stands in the file. */
    int id() {
        return id;
    }

    /** Bytes of one value, or 0 when each value has its own length. */
    int bytes() {
        return bytes;
    }

    /** Whether values are integers. */
    boolean isWhole() {
        return switch (this) {
            case U8, I8, U16, I16, U32, I32, U64, I64 -> true;
            case F32, BOOL, STRING, ARRAY, F64 -> false;
        };
    }

    static Optional<ValueType> ofId(int id) {
        return ALL.stream().filter(type -> type.id == id).findFirst();
    }
}
