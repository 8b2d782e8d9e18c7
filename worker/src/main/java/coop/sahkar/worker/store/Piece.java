package coop.sahkar.worker.store;

import java.util.regex.Pattern;

/**
 * A run of bytes of a published file that is fetched and checked as a whole: one tensor's data, or
 * the key-value section.
 *
 * @param name the tensor's name in the manifest; {@link #KEY_VALUES} for the key-value section
 * @param offset first byte, counted from the start of the published file
 * @param bytes length
 * @param sha256 of those bytes, 64 lower-case hex digits
 */
public record Piece(String name, long offset, long bytes, String sha256) {
    /** The name of the key-value section; no tensor is called so. */
    public static final String KEY_VALUES = "";

    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    public Piece {
        if (offset < 0 || bytes < 0 || offset > Long.MAX_VALUE - bytes) {
            throw new IllegalArgumentException("not a byte range: " + offset + " + " + bytes);
        }
        if (!SHA256.matcher(sha256).matches()) {
            throw new IllegalArgumentException("not a SHA-256 in hex: " + sha256);
        }
    }

    /** As error messages call it. */
    public String described() {
        return name.isEmpty() ? "the key-value section" : "tensor " + name;
    }
}
