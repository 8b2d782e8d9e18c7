package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 over parts of files. */
final class Digests {
    private static final int PART_BYTES = 1 << 20;

    private Digests() {}

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    /**
     * Feeds a part of a file to {@code digest}.
     *
     * @return how many bytes there were; fewer than {@code bytes} if the file ends before
     */
    static long update(
            MessageDigest digest,
            FileChannel channel,
            long position,
            long bytes,
            Cancellation cancellation)
            throws IOException {
        ByteBuffer part = ByteBuffer.allocate((int) Math.min(PART_BYTES, Math.max(1, bytes)));
        long done = 0;
        while (done < bytes) {
            cancellation.check();
            part.clear().limit((int) Math.min(part.capacity(), bytes - done));
            int count = channel.read(part, position + done);
            if (count < 0) {
                break;
            }
            digest.update(part.flip());
            done += count;
        }
        return done;
    }
}
