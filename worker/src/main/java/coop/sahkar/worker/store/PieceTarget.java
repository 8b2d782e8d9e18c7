package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Where the bytes of one piece go, in order. Owned by one thread. */
interface PieceTarget {
    Piece piece();

    /** How many bytes are here already. */
    long have();

    /** Adds bytes behind those that are here. */
    void append(ByteBuffer bytes) throws IOException;

    /**
     * To be called when all bytes are here: checks them against the piece's SHA-256.
     *
     * @return false if they are wrong; {@link #have} is then 0 again
     */
    boolean complete() throws IOException;
}
