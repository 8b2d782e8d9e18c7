package coop.sahkar.proto;

/**
 * A contiguous range of blocks {@code [first, end)} of one model.
 *
 * @param first index of the first block, from 0
 * @param end one past the index of the last block; greater than {@code first}
 */
public record Span(int first, int end) implements Comparable<Span> {
    public Span {
        if (first < 0 || end <= first || end > Limits.MAX_BLOCKS) {
            throw new IllegalArgumentException(
                    "not a span of blocks: [%d, %d), at most %d blocks"
                            .formatted(first, end, Limits.MAX_BLOCKS));
        }
    }

    /** How many blocks the span holds. */
    public int length() {
        return end - first;
    }

    /** Whether {@code block} lies in the span. */
    public boolean contains(int block) {
        return first <= block && block < end;
    }

    /** Whether the span begins the model: its stage embeds the tokens and drives the generation. */
    public boolean isHead() {
        return first == 0;
    }

    /** Whether the span ends a model of {@code blockCount} blocks: its stage samples. */
    public boolean isTail(int blockCount) {
        return end == blockCount;
    }

    @Override
    public int compareTo(Span other) {
        int byFirst = Integer.compare(first, other.first);
        return byFirst != 0 ? byFirst : Integer.compare(end, other.end);
    }

    /** As people write it: {@code [0, 8)}. */
    @Override
    public String toString() {
        return "[" + first + ", " + end + ")";
    }
}
