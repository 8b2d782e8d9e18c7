package coop.sahkar.proto;

/**
 * What a shard takes besides weights and the KV cache, at the most. One formula for the planner,
 * which gives shards to workers, and for workers, which refuse what does not fit: so a worker has
 * room for what was planned.
 *
 * @param width floats of one hidden state
 * @param vocabulary tokens
 * @param attentionHeads query heads of a block
 */
public record ShardBuffers(int width, int vocabulary, int attentionHeads) {
    /**
     * Rows of one batch: a chunk of a prompt, or decode rows of many sessions beside half of one.
     * The buffers grow with it, by a float for every KV cell and query head.
     */
    public static final int MAX_ROWS = 128;

    /**
     * Memory in which a worker keeps, outside the KV cache, the keys and values of chats that may
     * go on.
     */
    public static final long RESTING_BYTES = 32L << 20;

    /** Activations that are kept at one time, in widths of a row. */
    private static final int WIDTHS_PER_ROW = 16;

    private static final int USUAL_HEAD_LENGTH = 64;

    /** What a context takes besides: graph, threads, samplers. */
    private static final long BASE_BYTES = 16L << 20;

    /**
     * Of a model as its manifest describes it.
     *
     * @param attentionHeads 0 where that is not said
     */
    public static ShardBuffers of(int width, int vocabulary, long attentionHeads) {
        long heads = attentionHeads > 0 ? attentionHeads : width / USUAL_HEAD_LENGTH;
        return new ShardBuffers(
                width, vocabulary, Math.clamp(heads, 1, Limits.MAX_ATTENTION_HEADS));
    }

    /**
     * Bytes for one shard.
     *
     * @param tail whether it holds the last block, and so computes logits
     * @param kvCells positions its KV cache holds
     */
    public long bytes(boolean tail, int kvCells) {
        long scores = (long) kvCells * attentionHeads;
        long perRow = scores + (tail ? vocabulary : 0) + (long) WIDTHS_PER_ROW * width;
        return BASE_BYTES + RESTING_BYTES + Math.min(MAX_ROWS, kvCells) * perRow * Float.BYTES;
    }
}
