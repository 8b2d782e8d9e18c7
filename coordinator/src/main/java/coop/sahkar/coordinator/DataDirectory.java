package coop.sahkar.coordinator;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A coordinator's directory, held by one process at a time: {@code identity} says whose it is,
 * {@code log/} is the replicated log, {@code ticket-key} the secret, {@code surroundings} what it
 * knew of the others.
 */
final class DataDirectory implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final Identity identity;

    private DataDirectory(Path path, FileChannel channel, Identity identity) {
        this.path = path;
        this.channel = channel;
        this.identity = identity;
    }

    /**
     * Opens the directory for the coordinator {@code id}; makes it if absent.
     *
     * @param fresh who it is to be, where nothing says so yet
     * @throws CoordinatorException in a sentence, if it is another's, foreign, in use or unusable
     */
    static DataDirectory open(Path path, String id, Supplier<Identity> fresh) {
        try {
            Files.createDirectories(path);
            refuseForeign(path);
            FileChannel channel =
                    FileChannel.open(
                            path.resolve("lock"),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
            try {
                lock(path, channel);
                Identity identity = identify(path, id, fresh);
                return new DataDirectory(path, channel, identity);
            } catch (IOException | CoordinatorException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw new CoordinatorException(
                    "the data directory %s cannot be used: %s".formatted(path, e), e);
        }
    }

    private static void refuseForeign(Path path) throws IOException {
        if (Files.exists(path.resolve("identity"))) {
            return;
        }
        try (Stream<Path> files = Files.list(path)) {
            Path stranger =
                    files.filter(f ->
                                    !f.getFileName()
                                            .toString()
                                            .matches("lock|identity.*|surroundings.*|tls"))
                            .findFirst()
                            .orElse(null);
            if (stranger != null) {
                throw new CoordinatorException(
                        "%s is not a coordinator's data directory (it holds %s): name an empty or a new one"
                                .formatted(path, stranger.getFileName()));
            }
        }
    }

    private static void lock(Path path, FileChannel channel) throws IOException {
        FileLock lock = tryLock(channel);
        if (lock == null) {
            throw new CoordinatorException(
                    "another coordinator is running with %s: stop it, or name another data directory"
                            .formatted(path));
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }

    private static Identity identify(Path path, String id, Supplier<Identity> fresh)
            throws IOException {
        Optional<Identity> known = Identity.read(path);
        if (known.isEmpty()) {
            Identity made = fresh.get();
            made.write(path);
            return made;
        }
        if (!known.get().id().equals(id)) {
            throw new CoordinatorException(
                    "%s belongs to the coordinator %s, not to %s: use its id or another directory"
                            .formatted(path, known.get().id(), id));
        }
        return known.get();
    }

    Path path() {
        return path;
    }

    /** Whose it is. */
    Identity identity() {
        return identity;
    }

    Path log() {
        return path.resolve("log");
    }

    Path ticketKey() {
        return path.resolve("ticket-key");
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new CoordinatorException("the lock of %s cannot be freed".formatted(path), e);
        }
    }
}
