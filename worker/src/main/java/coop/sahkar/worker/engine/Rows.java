package coop.sahkar.worker.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The input of one {@link Stage#compute}: up to {@code capacity} rows, a row being one token of one
 * sequence at one position. Reused from batch to batch; owned by the engine's thread.
 *
 * <p>At the head a row carries a token id; at any other stage its hidden state stands in {@link
 * #hidden}, F32, native memory, {@code width} floats a row, in row order.
 */
public final class Rows {
    public final int[] token;
    public final int[] position;
    public final int[] sequence;

    /** At the tail: whether this row's logits are wanted. Elsewhere not read. */
    public final boolean[] wantLogits;

    /** F32 hidden states, {@code capacity × width}, native. */
    public final MemorySegment hidden;

    private final int width;
    private int count;
    private boolean normed;

    public Rows(Arena arena, int capacity, int width) {
        this.token = new int[capacity];
        this.position = new int[capacity];
        this.sequence = new int[capacity];
        this.wantLogits = new boolean[capacity];
        this.hidden = arena.allocate((long) capacity * width * Float.BYTES, 64);
        this.width = width;
    }

    public int capacity() {
        return token.length;
    }

    public int count() {
        return count;
    }

    public void clear() {
        count = 0;
        normed = false;
    }

    /** At the tail: the hidden states behind the output norm are wanted beside logits. */
    public void wantNormed() {
        normed = true;
    }

    /** Whether somebody wants them. */
    public boolean wantsNormed() {
        return normed;
    }

    /** Appends a row and returns its index; its hidden state, if any, is written by the caller. */
    public int add(int token, int position, int sequence, boolean wantLogits) {
        int row = count++;
        this.token[row] = token;
        this.position[row] = position;
        this.sequence[row] = sequence;
        this.wantLogits[row] = wantLogits;
        return row;
    }

    /** Where the hidden state of {@code row} stands: {@code width} F32. */
    public MemorySegment hiddenOf(int row) {
        long bytes = (long) width * Float.BYTES;
        return hidden.asSlice(row * bytes, bytes);
    }
}
