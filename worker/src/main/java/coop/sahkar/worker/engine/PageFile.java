package coop.sahkar.worker.engine;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Where the pages of one log lie. One thread writes, another reads what is written. */
interface PageFile {
    /** Writes all of {@code bytes}. */
    void write(ByteBuffer bytes, long at) throws IOException;

    /**
     * Fills {@code into}.
     *
     * @throws IOException also when less is there
     */
    void read(ByteBuffer into, long at) throws IOException;

    /** Deletes it. */
    void close() throws IOException;

    /** Makes files. */
    @FunctionalInterface
    interface Maker {
        PageFile make() throws IOException;
    }
}
