package coop.sahkar.worker.engine;

import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The disk behind all boundary logs of a worker: so many pages, and one thread that writes them. No
 * more than {@link #MOST_WAITING} pages wait for it; beside them only the closing of files, of
 * which each session has one at most.
 *
 * <p>After the first failure nothing more is written until the worker starts again: what logs give
 * up from then on is asked for further up.
 */
final class LogDisk {
    /** Pages that wait to be written: as much memory as that takes. */
    static final int MOST_WAITING = 16;

    private static final Logger LOG = LoggerFactory.getLogger(LogDisk.class);

    private final PageFile.Maker files;
    private final Executor writer;
    private final int pageBytes;
    private final AtomicInteger freePages;
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean failed = new AtomicBoolean();

    LogDisk(PageFile.Maker files, Executor writer, int pageBytes, long capacityBytes) {
        this.files = files;
        this.writer = writer;
        this.pageBytes = pageBytes;
        this.freePages =
                new AtomicInteger((int) Math.min(Integer.MAX_VALUE, capacityBytes / pageBytes));
    }

    int pageBytes() {
        return pageBytes;
    }

    PageFile file() throws IOException {
        return files.make();
    }

    /** Takes room for a page; false when there is none. */
    boolean takePage() {
        return freePages.getAndUpdate(free -> Math.max(0, free - 1)) > 0;
    }

    /** Gives the room of pages back. */
    void givePages(int count) {
        freePages.addAndGet(count);
    }

    int freePages() {
        return freePages.get();
    }

    /** Whether another page can be written now. */
    boolean takes() {
        return !failed.get() && waiting.get() < MOST_WAITING;
    }

    /** Has a page written; false when it will not be. */
    boolean write(Runnable page) {
        waiting.incrementAndGet();
        boolean taken =
                later(() -> {
                    try {
                        page.run();
                    } finally {
                        waiting.decrementAndGet();
                    }
                });
        if (!taken) {
            waiting.decrementAndGet();
        }
        return taken;
    }

    /** Has a file closed, behind whatever is still written to it. */
    void close(Runnable file) {
        if (!later(file)) {
            file.run();
        }
    }

    /** The disk did not take rows, or does not give them back as they were. */
    void failed(String why) {
        if (failed.compareAndSet(false, true)) {
            LOG.warn(
                    "Hidden states are not kept on disk from here on: {}. Repairs of long sessions"
                            + " take longer. Make room in the worker's data folder and start it"
                            + " again.",
                    why);
        }
    }

    private boolean later(Runnable task) {
        try {
            writer.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false; // the worker closes
        }
    }
}
