package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file that is being fetched. Pieces are written straight to their places, so weights lie on the
 * disk once. What an earlier run left is looked at again, byte for byte, before it counts.
 */
final class PartialFile implements AutoCloseable {
    private static final long JOURNAL_STEP_BYTES = 8L << 20;

    private final StoredPaths paths;
    private final ShardLayout layout;
    private final FileChannel channel;
    private final Journal journal;
    private final FetchProgress progress;
    private final AtomicLong done = new AtomicLong();
    private final List<Writer> writers = new ArrayList<>();

    /** What an earlier run left of a piece. */
    private record Rest(long have, MessageDigest digest, boolean complete) {
        static Rest look(
                FileChannel channel,
                ShardLayout.Placed placed,
                long claimed,
                Cancellation cancellation)
                throws IOException {
            MessageDigest digest = Digests.sha256();
            Piece piece = placed.piece();
            if (claimed <= 0 || claimed > piece.bytes()) {
                return new Rest(0, digest, false);
            }
            long read = Digests.update(digest, channel, placed.position(), claimed, cancellation);
            if (read < claimed) {
                return new Rest(0, Digests.sha256(), false);
            }
            if (read < piece.bytes()) {
                return new Rest(read, digest, false);
            }
            boolean right = Digests.hex(digest).equals(piece.sha256());
            return new Rest(right ? read : 0, digest, right);
        }
    }

    private PartialFile(
            StoredPaths paths,
            ShardLayout layout,
            FileChannel channel,
            Journal journal,
            FetchProgress progress) {
        this.paths = paths;
        this.layout = layout;
        this.channel = channel;
        this.journal = journal;
        this.progress = progress;
    }

    /** Opens or creates it, and checks what is there. */
    static PartialFile open(
            StoredPaths paths,
            ShardLayout layout,
            FileOpener opener,
            FetchProgress progress,
            Cancellation cancellation)
            throws IOException {
        SortedMap<Integer, Long> claims = Journal.read(paths.journal());
        FileChannel channel = opener.open(paths.partial());
        try {
            List<Rest> rests = new ArrayList<>();
            SortedMap<Integer, Long> found = new TreeMap<>();
            for (int i = 0; i < layout.pieces().size(); i++) {
                long claimed = claims.getOrDefault(i, 0L);
                Rest rest = Rest.look(channel, layout.pieces().get(i), claimed, cancellation);
                rests.add(rest);
                found.put(i, rest.have());
            }
            Journal journal = Journal.begin(paths.journal(), found);
            PartialFile file = new PartialFile(paths, layout, channel, journal, progress);
            file.adopt(rests);
            return file;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private void adopt(List<Rest> rests) throws IOException {
        for (int i = 0; i < rests.size(); i++) {
            writers.add(new Writer(i, layout.pieces().get(i), rests.get(i)));
            done.addAndGet(rests.get(i).have());
        }
        for (ShardLayout.Literal literal : layout.literals()) {
            write(literal.bytes().duplicate(), literal.position());
        }
        progress.at(done.get(), layout.pieceBytes());
    }

    /** The pieces that are not complete. */
    List<PieceTarget> missing() {
        List<PieceTarget> missing = new ArrayList<>();
        for (Writer writer : writers) {
            if (!writer.complete) {
                missing.add(writer);
            }
        }
        return missing;
    }

    /** Puts the complete file on the disk under its own name. */
    void finish() throws IOException {
        if (channel.size() < layout.fileBytes()) {
            write(ByteBuffer.allocate(1), layout.fileBytes() - 1);
        } else {
            channel.truncate(layout.fileBytes());
        }
        channel.force(true);
        close();
        try {
            Files.move(paths.partial(), paths.whole(), StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(paths.partial(), paths.whole(), StandardCopyOption.REPLACE_EXISTING);
        }
        Files.deleteIfExists(paths.journal());
    }

    /** Notes how far every piece is, and closes the file. No writer may be at work. */
    @Override
    public void close() throws IOException {
        try (channel;
                journal) {
            if (channel.isOpen()) {
                for (Writer writer : writers) {
                    writer.note();
                }
            }
        }
    }

    private void write(ByteBuffer bytes, long position) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    private void count(long bytes) {
        progress.at(done.addAndGet(bytes), layout.pieceBytes());
    }

    /** Writes one piece. */
    private final class Writer implements PieceTarget {
        private final int index;
        private final ShardLayout.Placed placed;
        private final MessageDigest digest;
        private long have;
        private long noted;
        private boolean complete;

        Writer(int index, ShardLayout.Placed placed, Rest rest) {
            this.index = index;
            this.placed = placed;
            this.digest = rest.digest();
            this.have = rest.have();
            this.noted = rest.have();
            this.complete = rest.complete();
        }

        @Override
        public Piece piece() {
            return placed.piece();
        }

        @Override
        public long have() {
            return have;
        }

        @Override
        public void append(ByteBuffer bytes) throws IOException {
            int count = bytes.remaining();
            write(bytes.duplicate(), placed.position() + have);
            digest.update(bytes);
            have += count;
            count(count);
            if (have - noted >= JOURNAL_STEP_BYTES) {
                note();
            }
        }

        @Override
        public boolean complete() throws IOException {
            complete = Digests.hex(digest).equals(piece().sha256());
            if (!complete) {
                count(-have);
                have = 0;
            }
            note();
            return complete;
        }

        void note() throws IOException {
            if (have != noted) {
                journal.have(index, have);
                noted = have;
            }
        }
    }
}
