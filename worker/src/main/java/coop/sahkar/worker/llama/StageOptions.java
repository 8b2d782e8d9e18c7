package coop.sahkar.worker.llama;

/**
 * Room and threads of one stage.
 *
 * @param threads threads that compute; llama.cpp's threads spin, so over all stages of a machine no
 *     more than it has cores
 * @param kvCells positions the KV cache holds over all sequences; the library rounds up
 * @param maxSequences sequences the KV cache tells apart
 * @param maxRows rows of one batch at most
 * @param kvType how keys and values are kept
 * @param flashAttention whether to use the library's flash attention; needs F16 keys and values
 */
public record StageOptions(
        int threads,
        int kvCells,
        int maxSequences,
        int maxRows,
        KvType kvType,
        boolean flashAttention) {
    private static final int MAX_THREADS = 512;

    /** Number format of keys and values. */
    public enum KvType {
        /** Four bytes a value: exact. */
        F32(0),
        /** Two bytes a value: what llama.cpp uses by itself. */
        F16(1);

        /** Its number in {@code enum ggml_type}. */
        final int ggmlType;

        KvType(int ggmlType) {
            this.ggmlType = ggmlType;
        }
    }

    public StageOptions {
        require(threads >= 1 && threads <= MAX_THREADS, "threads", threads);
        require(kvCells >= 1, "kvCells", kvCells);
        require(maxSequences >= 1, "maxSequences", maxSequences);
        require(maxRows >= 1 && maxRows <= kvCells, "maxRows (at most kvCells)", maxRows);
        if (flashAttention && kvType != KvType.F16) {
            throw new IllegalArgumentException("flash attention needs F16 keys and values");
        }
    }

    /** Without flash attention. */
    public StageOptions(int threads, int kvCells, int maxSequences, int maxRows, KvType kvType) {
        this(threads, kvCells, maxSequences, maxRows, kvType, false);
    }

    private static void require(boolean holds, String name, int value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " cannot be " + value);
        }
    }
}
