package coop.sahkar.worker.store;

import java.nio.file.Path;

/**
 * A complete, checked file of the store. It is not evicted until this is closed.
 *
 * @param path where it lies
 * @param bytes how long it is
 * @param release gives the hold back
 */
public record StoredFile(Path path, long bytes, Runnable release) implements AutoCloseable {
    @Override
    public void close() {
        release.run();
    }
}
