package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory of shards, bounded in size. A file stands under its own name only when it is
 * complete; one found at start is checked, piece by piece, before it is used, and what is damaged
 * is fetched again. Safe for use by many threads; one process at a time.
 */
public final class TensorStore implements TensorCatalog {
    private static final Logger LOG = LoggerFactory.getLogger(TensorStore.class);

    private final Path directory;
    private final FileOpener opener;
    private final Shelf shelf;
    private final ConcurrentMap<StoredKey, ReentrantLock> locks = new ConcurrentHashMap<>();

    private TensorStore(Path directory, long maxBytes, FileOpener opener) {
        this.directory = directory;
        this.opener = opener;
        this.shelf = new Shelf(maxBytes);
    }

    /**
     * Opens a store, creating its directory if need be.
     *
     * @param maxBytes disk space it may take
     */
    public static TensorStore open(Path directory, long maxBytes) throws IOException {
        return open(directory, maxBytes, FileOpener.DISK);
    }

    static TensorStore open(Path directory, long maxBytes, FileOpener opener) throws IOException {
        TensorStore store = new TensorStore(directory, maxBytes, opener);
        Files.createDirectories(directory);
        store.scan();
        return store;
    }

    /** Bytes its files take, those that are being fetched counted in full. */
    public long usedBytes() {
        return shelf.usedBytes();
    }

    private record Found(StoredKey key, long bytes, FileTime lastUse) {}

    private void scan() throws IOException {
        List<Found> found = new ArrayList<>();
        try (var lists = Files.find(directory, 2, (path, _) -> isPieceList(path))) {
            for (Path list : lists.toList()) {
                look(list).ifPresent(found::add);
            }
        }
        found.sort(Comparator.comparing(Found::lastUse));
        found.forEach(one -> shelf.found(one.key(), one.bytes()));
    }

    private static boolean isPieceList(Path path) {
        return String.valueOf(path.getFileName()).endsWith(StoredPaths.PIECES_SUFFIX);
    }

    private Optional<Found> look(Path list) throws IOException {
        String name = String.valueOf(list.getFileName());
        String label = name.substring(0, name.length() - StoredPaths.PIECES_SUFFIX.length());
        Path parent = list.getParent();
        try {
            StoredKey key =
                    new StoredKey(
                            parent == null ? "" : String.valueOf(parent.getFileName()), label);
            StoredPaths paths = paths(key);
            long bytes = Math.max(size(paths.whole()), size(paths.partial()));
            return Optional.of(new Found(key, bytes, Files.getLastModifiedTime(list)));
        } catch (IllegalArgumentException e) {
            LOG.warn("{} is not one of our files and is left alone", list);
            return Optional.empty();
        }
    }

    private static long size(Path path) throws IOException {
        return Files.exists(path) ? Files.size(path) : 0;
    }

    /**
     * Makes a file complete: takes it as it lies, or checks it, or fetches what it lacks.
     *
     * @throws StoreException if it cannot be had; what was fetched stays for the next try, unless
     *     the disk is full
     */
    StoredFile obtain(
            StoredKey key,
            ShardLayout layout,
            PieceFetcher fetcher,
            FetchProgress progress,
            Cancellation cancellation)
            throws StoreException, InterruptedException {
        ReentrantLock lock = locks.computeIfAbsent(key, _ -> new ReentrantLock());
        lock.lockInterruptibly();
        try {
            PieceList pieces = PieceList.of(layout);
            if (!shelf.hold(key, pieces)) {
                admit(key, layout.fileBytes());
                boolean kept = false;
                try {
                    fill(key, layout, fetcher, progress, cancellation);
                    shelf.checked(key, pieces);
                    kept = true;
                } finally {
                    if (!kept) {
                        shelf.release(key);
                    }
                }
            }
            progress.at(layout.pieceBytes(), layout.pieceBytes());
            return new StoredFile(
                    paths(key).whole(), layout.fileBytes(), Once.of(() -> shelf.release(key)));
        } finally {
            lock.unlock();
        }
    }

    private void admit(StoredKey key, long bytes) throws StoreException {
        Shelf.Room room = shelf.admit(key, bytes);
        for (StoredKey evicted : room.evicted()) {
            LOG.info("{} of {} is deleted to make room", evicted.label(), evicted.modelId());
            try {
                paths(evicted).delete();
            } catch (IOException e) {
                LOG.warn("{} could not be deleted: {}", evicted.label(), e.toString());
            }
        }
        if (!room.fits()) {
            throw new StoreException(
                    ("%s of %s needs %d MB of disk; of the %d MB that may be used, %d MB are in use."
                                    + " Allow more disk space or a smaller span.")
                            .formatted(
                                    key.label(),
                                    key.modelId(),
                                    megabytes(bytes),
                                    megabytes(shelf.maxBytes()),
                                    megabytes(room.heldBytes())));
        }
    }

    private void fill(
            StoredKey key,
            ShardLayout layout,
            PieceFetcher fetcher,
            FetchProgress progress,
            Cancellation cancellation)
            throws StoreException, InterruptedException {
        StoredPaths paths = paths(key);
        try {
            if (prepare(paths, layout, cancellation)) {
                return;
            }
            try (PartialFile file =
                    PartialFile.open(paths, layout, opener, progress, cancellation)) {
                new ParallelFetch(fetcher, cancellation).run(file.missing());
                file.finish();
            }
        } catch (IOException e) {
            throw broken(key, paths, e);
        }
    }

    /**
     * Settles what an earlier run left.
     *
     * @return whether the file is complete and right
     */
    private static boolean prepare(StoredPaths paths, ShardLayout layout, Cancellation cancellation)
            throws IOException {
        String expected = PieceList.of(layout).encode();
        Files.createDirectories(paths.whole().toAbsolutePath().getParent());
        if (!Files.exists(paths.pieces()) || !Files.readString(paths.pieces()).equals(expected)) {
            paths.delete();
            Files.writeString(paths.pieces(), expected);
            return false;
        }
        Files.setLastModifiedTime(paths.pieces(), FileTime.from(Instant.now()));
        return Files.exists(paths.whole()) && FileCheck.passes(paths, layout, cancellation);
    }

    /** Makes a sentence of a disk's failure; a full disk gets its space back. */
    private static StoreException broken(StoredKey key, StoredPaths paths, IOException failure) {
        long free = usable(paths.partial());
        String message = String.valueOf(failure.getMessage());
        boolean full = message.contains("No space left") || message.contains("not enough space");
        if (!full) {
            return new StoreException(
                    "%s could not be written: %s".formatted(paths.whole(), failure), failure);
        }
        try {
            paths.delete();
        } catch (IOException e) {
            LOG.warn("{} could not be deleted: {}", paths.partial(), e.toString());
        }
        return new StoreException(
                ("the disk under %s is full (%d MB were left), so %s of %s could not be stored."
                                + " Free some space or lend less of it.")
                        .formatted(
                                paths.whole().getParent(),
                                megabytes(free),
                                key.label(),
                                key.modelId()),
                failure);
    }

    private static long usable(Path path) {
        try {
            return Files.getFileStore(path.toAbsolutePath().getParent()).getUsableSpace();
        } catch (IOException e) {
            return 0;
        }
    }

    @Override
    public Optional<Held> find(String modelId, String piece) {
        return shelf.locate(modelId, piece).flatMap(this::open);
    }

    private Optional<Held> open(Shelf.Location location) {
        Runnable release = () -> shelf.release(location.key());
        try {
            FileChannel channel =
                    FileChannel.open(paths(location.key()).whole(), StandardOpenOption.READ);
            Piece piece = location.placed().piece();
            return Optional.of(
                    new HeldRange(
                            channel,
                            location.placed().position(),
                            piece.bytes(),
                            Once.of(() -> close(channel, release))));
        } catch (IOException e) {
            release.run();
            LOG.warn("a stored file has gone: {}", e.toString());
            return Optional.empty();
        }
    }

    private static void close(FileChannel channel, Runnable release) {
        try (channel) {
            release.run();
        } catch (IOException e) {
            LOG.debug("closing a stored file failed", e);
        }
    }

    private StoredPaths paths(StoredKey key) {
        return StoredPaths.of(directory.resolve(key.modelId()), key.label());
    }

    private static long megabytes(long bytes) {
        return (bytes + 999_999) / 1_000_000;
    }
}
