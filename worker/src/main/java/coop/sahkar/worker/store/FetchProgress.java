package coop.sahkar.worker.store;

/** Hears how far a fetch is. Called from several threads, often; must not block. */
@FunctionalInterface
public interface FetchProgress {
    /** Hears nothing. */
    FetchProgress SILENT = (done, total) -> {};

    /**
     * The fetch has come so far.
     *
     * @param bytesDone bytes that are here; falls back when a piece turns out to be corrupt
     * @param bytesTotal bytes the shard has
     */
    void at(long bytesDone, long bytesTotal);
}
