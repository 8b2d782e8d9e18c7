package coop.sahkar.worker.engine;

/**
 * The KV of one sequence outside the cache, in memory of its own. Belongs to the stage that made it
 * and to that stage's thread.
 */
public interface ParkedKv extends AutoCloseable {
    /** Positions, from 0. */
    int positions();

    /** Memory it takes. */
    long bytes();

    /** Frees that memory. */
    @Override
    void close();
}
