package coop.sahkar.worker.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The room that all boundary logs of one worker share: so much memory and, behind it, so much disk.
 *
 * <p>Stages that have sessions share the memory evenly. What one of them held before another came
 * it gives up as it goes on; until then the other makes do with what is left.
 */
public final class LogRoom implements AutoCloseable {
    /** The logs lie on a heap of 60 MB; pages on their way to disk take 4 MB more. */
    public static final long MEMORY_BYTES = 14L << 20;

    /** One write to the disk. A row of the widest model fits. */
    private static final int PAGE_BYTES = 256 * 1024;

    private static final long CLOSE_MILLIS = 2_000;
    private static final Logger LOG = LoggerFactory.getLogger(LogRoom.class);

    private final long memoryBytes;
    private final @Nullable LogDisk disk;
    private final @Nullable ExecutorService writer;
    private final AtomicLong used = new AtomicLong();
    private final AtomicInteger stages = new AtomicInteger();

    private LogRoom(long memoryBytes, @Nullable LogDisk disk, @Nullable ExecutorService writer) {
        this.memoryBytes = memoryBytes;
        this.disk = disk;
        this.writer = writer;
    }

    /** Memory alone. */
    public static LogRoom inMemory(long memoryBytes) {
        return new LogRoom(memoryBytes, null, null);
    }

    /** Memory, and behind it a disk. */
    static LogRoom over(long memoryBytes, LogDisk disk) {
        return new LogRoom(memoryBytes, disk, null);
    }

    /**
     * Memory, and behind it files in a folder that belongs to it alone: what is found there is
     * deleted. Without such a folder it does with memory, and says so in the log.
     *
     * @param diskBytes of all files together; 0 for memory alone
     */
    public static LogRoom open(Path directory, long memoryBytes, long diskBytes) {
        try {
            PrivateFile.prepare(directory);
        } catch (IOException e) {
            if (diskBytes > 0) {
                LOG.warn("Hidden states are kept in memory only: {}", e.toString());
            }
            return inMemory(memoryBytes);
        }
        if (diskBytes < PAGE_BYTES) {
            return inMemory(memoryBytes);
        }
        ExecutorService writer =
                Executors.newSingleThreadExecutor(
                        Thread.ofPlatform().daemon().name("log-writer").factory());
        PageFile.Maker files = () -> PrivateFile.make(directory);
        return new LogRoom(memoryBytes, new LogDisk(files, writer, PAGE_BYTES, diskBytes), writer);
    }

    /** Of all logs together, as of now. */
    long usedBytes() {
        return used.get();
    }

    void count(long change) {
        used.addAndGet(change);
    }

    /** A stage has its first log. */
    void stageJoins() {
        stages.incrementAndGet();
    }

    /** A stage has no log any more. */
    void stageLeaves() {
        stages.decrementAndGet();
    }

    /** Whether a stage whose logs hold so much has to give some of it up. */
    boolean crowded(long bytes) {
        long share = memoryBytes / Math.max(1, stages.get());
        return bytes > 0 && (bytes > share || used.get() > memoryBytes);
    }

    /** A place on disk for one log; null where there is none. */
    @Nullable LogFile file() {
        return disk == null ? null : new LogFile(disk);
    }

    /** Ends the writing; whoever has logs has closed them. */
    @Override
    public void close() {
        if (writer == null) {
            return;
        }
        writer.shutdown();
        try {
            if (!writer.awaitTermination(CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
                LOG.warn("the disk still writes after {} ms", CLOSE_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
