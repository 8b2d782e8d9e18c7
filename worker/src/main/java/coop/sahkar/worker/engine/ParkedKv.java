package coop.sahkar.worker.engine;

import java.nio.ByteBuffer;

/**
 * The KV of one sequence outside the cache, in memory of its own. Belongs to the stage that made it
 * and to that stage's thread.
 */
public interface ParkedKv extends AutoCloseable {
    /** Positions, from 0. */
    int positions();

    /** Memory it takes. */
    long bytes();

    /** A copy of a piece of it, as the stage writes it; within {@link #bytes}. */
    ByteBuffer piece(long offset, int length);

    /** Frees that memory. */
    @Override
    void close();
}
