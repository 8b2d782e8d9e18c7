package coop.sahkar.worker.head;

/**
 * Consecutive tokens that the head feeds into its own stage.
 *
 * @param firstPosition position of the first
 * @param tokens at least one; not to be changed
 * @param wantToken whether the tail is to choose the token that follows
 */
@SuppressWarnings("ArrayRecordComponent")
public record Chunk(int firstPosition, int[] tokens, boolean wantToken) {}
