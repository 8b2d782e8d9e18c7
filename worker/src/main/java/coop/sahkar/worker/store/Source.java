package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Somewhere bytes of models can be had. Safe for use by many threads. */
interface Source extends AutoCloseable {
    /** Takes bytes in order. */
    @FunctionalInterface
    interface Sink {
        /**
         * Takes the next bytes.
         *
         * @return false to stop the download
         */
        boolean accept(ByteBuffer bytes) throws IOException;
    }

    /** As it stands in the model's list of sources; empty for this machine's own store. */
    String address();

    /** Whether it is this machine itself, and so asked before any other. */
    default boolean local() {
        return false;
    }

    /**
     * Reads {@code piece} from byte {@code from} on, blocking. Gives exactly the bytes that remain,
     * unless the sink stops it.
     *
     * @throws SourceException if it cannot, or sends more or fewer
     * @throws IOException from the sink
     */
    void read(String modelId, Piece piece, long from, Sink sink, Cancellation cancellation)
            throws SourceException, IOException, InterruptedException;

    @Override
    void close();
}
