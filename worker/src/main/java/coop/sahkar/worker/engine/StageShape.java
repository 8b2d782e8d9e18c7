package coop.sahkar.worker.engine;

import coop.sahkar.proto.Span;

/**
 * What a loaded shard is and what it has room for.
 *
 * @param span the blocks it holds
 * @param blockCount how many blocks the whole model has
 * @param width floats of one hidden state (n_embd)
 * @param vocabulary tokens in the vocabulary; 0 unless the stage is the head or the tail
 * @param kvCells positions its KV cache holds, over all sequences
 * @param maxSequences sequences its KV cache can tell apart; ids are {@code [0, maxSequences)}
 * @param maxRows rows one {@link Stage#compute} takes at most
 */
public record StageShape(
        Span span,
        int blockCount,
        int width,
        int vocabulary,
        int kvCells,
        int maxSequences,
        int maxRows) {

    /** Whether rows come in as tokens. */
    public boolean head() {
        return span.isHead();
    }

    /** Whether results go out as logits. */
    public boolean tail() {
        return span.isTail(blockCount);
    }
}
