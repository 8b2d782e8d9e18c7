package coop.sahkar.worker.agent;

import coop.sahkar.proto.Limits;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Who a worker is: an id made at its first start and kept in its data directory, which this holds
 * for one process alone.
 */
public final class WorkerIdentity implements AutoCloseable {
    private static final String ID_FILE = "worker-id";
    private static final String LOCK_FILE = "worker.lock";
    private static final String PROCESS_FILE = "worker.pid";
    private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
    private static final int DIGITS = 8;
    private static final Pattern ID =
            Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0," + (Limits.MAX_WORKER_ID - 1) + "}");

    private final String workerId;
    private final FileChannel lock;

    private WorkerIdentity(String workerId, FileChannel lock) {
        this.workerId = workerId;
        this.lock = lock;
    }

    /**
     * Takes the data directory, and makes an id if it has none.
     *
     * @param wanted the id to have; null for the one kept there, or a new one
     * @throws WorkerException if another process uses the directory, or it cannot be written
     */
    public static WorkerIdentity open(
            Path directory, @Nullable String wanted, RandomGenerator random)
            throws WorkerException {
        try {
            Files.createDirectories(directory);
            FileChannel lock = lock(directory);
            try {
                String id = id(directory, wanted, random);
                long self = ProcessHandle.current().pid();
                Files.writeString(directory.resolve(PROCESS_FILE), self + "\n");
                return new WorkerIdentity(id, lock);
            } catch (IOException | WorkerException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw new WorkerException(
                    "the data directory %s cannot be used: %s".formatted(directory, e), e);
        }
    }

    /**
     * The process of the worker that has the data directory now; empty when none has.
     *
     * @throws WorkerException if the directory cannot be read
     */
    public static Optional<Long> holder(Path directory) throws WorkerException {
        Path lock = directory.resolve(LOCK_FILE);
        try {
            if (!Files.exists(lock) || free(lock)) {
                return Optional.empty();
            }
            String pid = Files.readString(directory.resolve(PROCESS_FILE)).strip();
            return Optional.of(Long.parseLong(pid));
        } catch (IOException | NumberFormatException e) {
            throw new WorkerException(
                    "the data directory %s does not say which process uses it: %s"
                            .formatted(directory, e),
                    e);
        }
    }

    private static boolean free(Path lock) throws IOException {
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
                FileLock held = channel.tryLock()) {
            return held != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private static FileChannel lock(Path directory) throws IOException, WorkerException {
        FileChannel channel =
                FileChannel.open(
                        directory.resolve(LOCK_FILE),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
        FileLock held = null;
        try {
            held = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            held = null;
        }
        if (held == null) {
            channel.close();
            throw new WorkerException(
                    "another worker uses the data directory %s; stop it, or give this one another"
                            .formatted(directory));
        }
        return channel;
    }

    private static String id(Path directory, @Nullable String wanted, RandomGenerator random)
            throws IOException, WorkerException {
        Path file = directory.resolve(ID_FILE);
        if (wanted == null && Files.exists(file)) {
            return checked(Files.readString(file).strip(), file.toString());
        }
        String id = wanted == null ? made(random) : checked(wanted, "the worker's name");
        Path fresh = directory.resolve(ID_FILE + ".new");
        Files.writeString(fresh, id + "\n");
        Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING);
        return id;
    }

    private static String checked(String id, String where) throws WorkerException {
        if (!ID.matcher(id).matches()) {
            throw new WorkerException(
                    "%s holds no worker's id: 1 to %d letters, digits, dots, hyphens and underscores"
                            .formatted(where, Limits.MAX_WORKER_ID));
        }
        return id;
    }

    private static String made(RandomGenerator random) {
        StringBuilder id = new StringBuilder("w-");
        for (int i = 0; i < DIGITS; i++) {
            id.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return id.toString();
    }

    public String workerId() {
        return workerId;
    }

    /** Lets another process have the directory. */
    @Override
    public void close() throws IOException {
        lock.close();
    }
}
