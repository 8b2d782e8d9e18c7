package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.SortedMap;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks whether a file that an earlier run completed is still what it was. */
final class FileCheck {
    private static final Logger LOG = LoggerFactory.getLogger(FileCheck.class);

    private FileCheck() {}

    /**
     * Checks every piece. A file with damaged pieces becomes a partial one that has the others.
     *
     * @return whether the file can be used as it is
     */
    static boolean passes(StoredPaths paths, ShardLayout layout, Cancellation cancellation)
            throws IOException {
        SortedMap<Integer, Long> right = new TreeMap<>();
        boolean whole;
        try (FileChannel channel = FileChannel.open(paths.whole(), StandardOpenOption.READ)) {
            for (int i = 0; i < layout.pieces().size(); i++) {
                ShardLayout.Placed placed = layout.pieces().get(i);
                if (isRight(channel, placed, cancellation)) {
                    right.put(i, placed.piece().bytes());
                }
            }
            whole =
                    right.size() == layout.pieces().size()
                            && channel.size() == layout.fileBytes()
                            && literalsAreRight(channel, layout);
        }
        if (whole) {
            return true;
        }
        LOG.warn(
                "{} is damaged; {} of {} tensors are fetched again",
                paths.whole(),
                layout.pieces().size() - right.size(),
                layout.pieces().size());
        Files.move(paths.whole(), paths.partial(), StandardCopyOption.REPLACE_EXISTING);
        Journal.begin(paths.journal(), right).close();
        return false;
    }

    private static boolean isRight(
            FileChannel channel, ShardLayout.Placed placed, Cancellation cancellation)
            throws IOException {
        MessageDigest digest = Digests.sha256();
        Piece piece = placed.piece();
        long read = Digests.update(digest, channel, placed.position(), piece.bytes(), cancellation);
        return read == piece.bytes() && Digests.hex(digest).equals(piece.sha256());
    }

    private static boolean literalsAreRight(FileChannel channel, ShardLayout layout)
            throws IOException {
        for (ShardLayout.Literal literal : layout.literals()) {
            ByteBuffer found = ByteBuffer.allocate(literal.bytes().remaining());
            long at = literal.position();
            while (found.hasRemaining()) {
                int count = channel.read(found, at);
                if (count < 0) {
                    return false;
                }
                at += count;
            }
            if (!found.flip().equals(literal.bytes())) {
                return false;
            }
        }
        return true;
    }
}
