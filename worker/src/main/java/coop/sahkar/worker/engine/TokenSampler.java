package coop.sahkar.worker.engine;

import java.lang.foreign.MemorySegment;

/**
 * Chooses tokens for one session at the tail. A choice is a function of the logits, the sampling
 * parameters with their seed, the position, and the tokens before it, and of nothing else: not of
 * earlier calls, of the batch, or of time. So a position that is sampled again gives the same
 * token. Confined to the stage's thread.
 */
public interface TokenSampler extends AutoCloseable {
    /**
     * Chooses the token at {@code position}.
     *
     * @param logits {@code vocabulary} F32; not changed
     * @param position position of the token to be chosen
     * @param history the session's tokens before {@code position}; the first {@code position}
     *     entries count
     */
    int sample(MemorySegment logits, int position, int[] history);

    @Override
    void close();
}
