package coop.sahkar.worker.gguf;

/** Is told how far a long work over tensors has come. May be called by several threads at once. */
@FunctionalInterface
public interface Progress {
    /** For those who need not know. */
    Progress NONE = (done, total) -> {};

    /**
     * Called each time some more is done.
     *
     * @param doneBytes how many bytes are done
     * @param totalBytes how many there are in all
     */
    void at(long doneBytes, long totalBytes);
}
