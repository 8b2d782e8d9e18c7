package coop.sahkar.coordinator;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A coordinator's directory, held by one process at a time: {@code identity} says whose it is,
 * {@code log/} is the replicated log, {@code ticket-key} the secret.
 */
final class DataDirectory implements AutoCloseable {
    private static final String FIRST_LINE = "sahkar coordinator 1";
    private static final int MAX_IDENTITY_BYTES = 4096;

    private final Path path;
    private final FileChannel channel;

    private DataDirectory(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Opens the directory for the coordinator {@code id}; makes it if absent.
     *
     * @throws CoordinatorException in a sentence, if it is another's, foreign, in use or unusable
     */
    static DataDirectory open(Path path, String id) {
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
                identify(path, id);
                return new DataDirectory(path, channel);
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
                    files.filter(f -> !f.getFileName().toString().matches("lock|identity.*|tls"))
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

    private static void identify(Path path, String id) throws IOException {
        Path identity = path.resolve("identity");
        if (!Files.exists(identity)) {
            Path partial = path.resolve("identity.partial");
            Files.writeString(partial, FIRST_LINE + "\n" + id + "\n");
            Files.move(partial, identity);
            return;
        }
        List<String> lines =
                Files.size(identity) > MAX_IDENTITY_BYTES
                        ? List.of()
                        : Files.readString(identity, StandardCharsets.UTF_8).lines().toList();
        if (lines.size() < 2 || !lines.get(0).equals(FIRST_LINE)) {
            throw new CoordinatorException(
                    "%s is not a coordinator's data directory of this release: name another"
                            .formatted(path));
        }
        if (!lines.get(1).equals(id)) {
            throw new CoordinatorException(
                    "%s belongs to the coordinator %s, not to %s: use its id or another directory"
                            .formatted(path, lines.get(1), id));
        }
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
