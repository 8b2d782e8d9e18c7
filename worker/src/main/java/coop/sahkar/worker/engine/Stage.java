package coop.sahkar.worker.engine;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A loaded shard with its KV cache. Created, used and closed by one thread; nothing here may be
 * called from another.
 *
 * <p>Implemented by llama.cpp in {@code coop.sahkar.worker.llama}; tests use a small hand-written
 * one whose results depend on every row that came before.
 */
public interface Stage extends AutoCloseable {
    StageShape shape();

    /**
     * Computes all rows as one batch and appends them to their sequences' KV. Rows of one sequence
     * must continue that sequence without a gap.
     *
     * @throws StageException if the library refuses the batch; the KV of its sequences is then
     *     unknown and the caller must truncate or release them
     */
    void compute(Rows rows) throws StageException;

    /** Whether there is any use in {@link #anticipate}. */
    default boolean anticipates() {
        return false;
    }

    /**
     * Begins the next row of {@code sequence} before it is known what it holds: makes ready what
     * depends on its place alone, asks {@code source} for the rest, and computes it then as {@link
     * #compute} would.
     *
     * @param source waits, on the caller's thread, for the row's token or hidden state and writes
     *     it to row 0 of the rows it is given; false if it does not come. Not asked at all where
     *     the row cannot be begun. It must not change what a sequence holds
     * @param made is told, on the caller's thread, as soon as results can be had, how many
     *     nanoseconds the row was computed; perhaps before all is tidied up, so it must not change
     *     what a sequence holds either
     * @return whether the row was computed; if not, all is as it was
     * @throws StageException if the library refuses the row that came, as in {@link #compute}
     */
    default boolean anticipate(int sequence, Predicate<Rows> source, LongConsumer made)
            throws StageException {
        return false;
    }

    /**
     * Hidden states of the last {@link #compute}, F32, {@code count × width}, in row order. Valid
     * until the next call. Not for the tail.
     */
    MemorySegment hiddenStates();

    /**
     * Logits of one row of the last {@link #compute} that wanted them: {@code vocabulary} F32. Tail
     * only.
     */
    MemorySegment logits(int row);

    /**
     * The hidden state of such a row behind the output norm, {@code width} F32; the batch must have
     * wanted it ({@link Rows#wantNormed}). Valid until the next call. Tail only.
     *
     * @throws IllegalStateException if it was not to be had
     */
    default MemorySegment normed(int row) {
        throw new IllegalStateException("this stage hands out no embeddings");
    }

    /** Forgets all positions of {@code sequence} from {@code position} on. */
    void truncate(int sequence, int position);

    /**
     * Makes {@code to}, which must be empty, share the first {@code end} positions of {@code from}.
     */
    void copyPrefix(int from, int to, int end);

    /**
     * Takes the KV of {@code sequence} out of the cache, where every sequence slows the others; it
     * is empty then.
     *
     * @return null if it holds nothing, or would take more than {@code mostBytes}: it stays as it
     *     was
     */
    @Nullable ParkedKv park(int sequence, long mostBytes);

    /**
     * Puts KV of this stage back into {@code sequence}, which must be empty; what was parked stays
     * as it is and may be closed.
     *
     * @return false if the cache has no room for it in one piece: the sequence is empty then
     */
    boolean unpark(ParkedKv parked, int sequence);

    /**
     * How the pieces of parked KV are written. A stage can read what another of the same model,
     * span and format has parked.
     */
    String kvFormat();

    /**
     * KV that another stage of the same model, span and format has parked, to be unparked here. Its
     * pieces are looked at: what was not written by such a stage is refused.
     *
     * @param positions how many positions it is said to hold
     * @param pieces all of its bytes, in order
     * @return null if the pieces are not what they should be
     */
    @Nullable ParkedKv adopt(int positions, List<ByteBuffer> pieces);

    /** Opens a sampler over this stage's vocabulary. Tail only. */
    TokenSampler sampler(Sampling sampling);

    @Override
    void close();
}
