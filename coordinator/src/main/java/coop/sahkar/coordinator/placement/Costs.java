package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.ModelFootprint;
import coop.sahkar.proto.Span;

/** What the spans of one model cost, from sums made once. */
final class Costs {
    /** A block costs this however small it is: graph, attention, callbacks. */
    private static final long BLOCK_NANOS = 50_000;

    /**
     * A byte of the output matrix counts this much of a byte in a block. It is read for tokens that
     * are chosen, not for the rows of prompts, on which blocks spend about as long; and being one
     * large matrix it is read in about three quarters of the time (measured on one thread: 1.9
     * blocks of a 160M where its bytes are those of 2.6, 1.2 to 1.4 of a 1.1B where they are 1.5).
     */
    private static final double OUTPUT_SHARE = 0.5 * 0.75;

    private final ModelFootprint footprint;
    private final long[] before;

    Costs(ModelFootprint footprint) {
        this.footprint = footprint;
        this.before = new long[footprint.blockCount() + 1];
        for (int i = 0; i < footprint.blockCount(); i++) {
            before[i + 1] = before[i] + footprint.blockBytes().get(i);
        }
    }

    private long blocks(Span span) {
        return before[span.end()] - before[span.first()];
    }

    /** Bytes that must be fetched for a shard: its weights. */
    long weightBytes(Span span) {
        boolean head = span.isHead();
        boolean tail = span.isTail(footprint.blockCount());
        return footprint.sharedBytes()
                + blocks(span)
                + (head ? footprint.embeddingBytes() : 0)
                + (tail && !(head && footprint.tied()) ? footprint.outputBytes() : 0);
    }

    /** Memory a shard takes. */
    long bytes(Span span, int kvCells) {
        boolean tail = span.isTail(footprint.blockCount());
        return weightBytes(span) + footprint.kvBytes(span, kvCells) + bufferBytes(tail, kvCells);
    }

    /** What of that is neither weights nor KV. */
    long bufferBytes(boolean tail, int kvCells) {
        return footprint.buffers().bytes(tail, kvCells);
    }

    /**
     * Time of one token in a span at a worker that does nothing else, prompts and answers taken
     * together. Of the embedding a row is read: that is nothing.
     */
    long nanos(Span span, long bytesPerSecond) {
        boolean tail = span.isTail(footprint.blockCount());
        double read = blocks(span) + (tail ? OUTPUT_SHARE * footprint.outputBytes() : 0);
        return span.length() * BLOCK_NANOS + (long) (read / bytesPerSecond * 1e9);
    }
}
