package coop.sahkar.worker.llama;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/** A C struct in native memory, its fields reached by name. For parameters, not for hot paths. */
record Struct(StructLayout layout, MemorySegment memory) {
    int getInt(String field) {
        return memory.get(ValueLayout.JAVA_INT, offset(field));
    }

    float getFloat(String field) {
        return memory.get(ValueLayout.JAVA_FLOAT, offset(field));
    }

    long getPointer(String field) {
        return memory.get(ValueLayout.ADDRESS, offset(field)).address();
    }

    /** The byte of a C {@code bool}, so that a wrong layout shows as a value other than 0 or 1. */
    byte getBool(String field) {
        return memory.get(ValueLayout.JAVA_BYTE, offset(field));
    }

    Struct set(String field, int value) {
        memory.set(ValueLayout.JAVA_INT, offset(field), value);
        return this;
    }

    Struct set(String field, boolean value) {
        memory.set(ValueLayout.JAVA_BOOLEAN, offset(field), value);
        return this;
    }

    Struct set(String field, MemorySegment value) {
        memory.set(ValueLayout.ADDRESS, offset(field), value);
        return this;
    }

    private long offset(String field) {
        return layout.byteOffset(groupElement(field));
    }
}
