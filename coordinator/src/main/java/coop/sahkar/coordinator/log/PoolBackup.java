package coop.sahkar.coordinator.log;

import coop.sahkar.coordinator.state.PoolState;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * A copy of the replicated state as a file: a line that says what it is, one with the checksum of
 * the rest, and a snapshot.
 */
public final class PoolBackup {
    private static final String FIRST_LINE = "sahkar pool backup 1\n";
    private static final int CHECKSUM_CHARS = 64;
    private static final int HEADER_BYTES = FIRST_LINE.length() + CHECKSUM_CHARS + 1;

    private PoolBackup() {}

    /** The file of a state. */
    public static byte[] write(PoolState state) {
        byte[] snapshot = SnapshotCodec.write(state);
        byte[] header = header(snapshot);
        byte[] file = Arrays.copyOf(header, header.length + snapshot.length);
        System.arraycopy(snapshot, 0, file, header.length, snapshot.length);
        return file;
    }

    /**
     * Reads such a file.
     *
     * @throws LogFormatException in a sentence, if it is none, or damaged, or of a newer release
     */
    public static PoolState read(byte[] file) {
        if (file.length < HEADER_BYTES || !firstLine(file).equals(FIRST_LINE)) {
            throw new LogFormatException("this is no backup of a pool that this release reads");
        }
        byte[] snapshot = Arrays.copyOfRange(file, HEADER_BYTES, file.length);
        if (!Arrays.equals(header(snapshot), Arrays.copyOf(file, HEADER_BYTES))) {
            throw new LogFormatException(
                    "the backup is damaged: its checksum is not that of its content");
        }
        try {
            return SnapshotCodec.read(new ByteArrayInputStream(snapshot));
        } catch (IOException e) {
            throw new LogFormatException("the backup cannot be read: " + e.getMessage());
        }
    }

    private static String firstLine(byte[] file) {
        return new String(file, 0, FIRST_LINE.length(), StandardCharsets.US_ASCII);
    }

    private static byte[] header(byte[] snapshot) {
        String checksum = HexFormat.of().formatHex(sha256(snapshot));
        return (FIRST_LINE + checksum + "\n").getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
