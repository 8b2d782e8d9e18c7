package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.ModelFootprint;
import coop.sahkar.proto.Span;

/** What the spans of one model cost, from sums made once. */
final class Costs {
    /** A block costs this however small it is: graph, attention, callbacks. */
    private static final long BLOCK_NANOS = 50_000;

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

    /** Time of one token in a span at a worker that does nothing else. */
    long nanos(Span span, long bytesPerSecond) {
        long read =
                blocks(span) + (span.isTail(footprint.blockCount()) ? footprint.outputBytes() : 0);
        return span.length() * BLOCK_NANOS + (long) ((double) read / bytesPerSecond * 1e9);
    }
}
