package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Pieces of models that are whole and checked on this machine. Safe for use by many threads. */
@FunctionalInterface
public interface TensorCatalog {
    /** A piece at hand; its file stays until it is closed. */
    interface Held extends AutoCloseable {
        /** Length in bytes. */
        long bytes();

        /** Fills {@code destination} with the bytes from {@code offset} on. */
        void read(long offset, ByteBuffer destination) throws IOException;

        @Override
        void close();
    }

    /**
     * Looks a piece up.
     *
     * @param modelId {@code name@digest}
     * @param piece name of the tensor; {@link Piece#KEY_VALUES} for the key-value section
     */
    Optional<Held> find(String modelId, String piece);
}
