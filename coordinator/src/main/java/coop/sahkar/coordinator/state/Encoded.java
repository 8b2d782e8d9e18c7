package coop.sahkar.coordinator.state;

import java.util.Arrays;

/**
 * Bytes with value semantics, kept exactly as they came.
 *
 * @param bytes not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // equality is by content, below
public record Encoded(byte[] bytes) {
    @Override
    public boolean equals(Object other) {
        return other instanceof Encoded that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return bytes.length + " bytes";
    }
}
