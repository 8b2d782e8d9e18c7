package coop.sahkar.coordinator.state;

import coop.sahkar.proto.ShardBuffers;
import coop.sahkar.proto.Span;
import java.util.List;

/**
 * What a model's parts weigh. A head also holds the embedding, a tail the output matrix and norm;
 * where the two matrices are one (tied), a whole model holds it once.
 *
 * @param blockBytes weight bytes of each block
 * @param embeddingBytes what a head adds
 * @param outputBytes what a tail adds
 * @param tied whether the tail's matrix is the embedding
 * @param sharedBytes what every shard needs besides (rope factors, norms)
 * @param kvBytesPerPositionPerBlock KV bytes one position takes in one block
 * @param buffers what a shard takes besides weights and KV
 */
public record ModelFootprint(
        List<Long> blockBytes,
        long embeddingBytes,
        long outputBytes,
        boolean tied,
        long sharedBytes,
        long kvBytesPerPositionPerBlock,
        ShardBuffers buffers) {
    public ModelFootprint {
        blockBytes = List.copyOf(blockBytes);
    }

    public int blockCount() {
        return blockBytes.size();
    }

    /** Weight bytes of the shard of {@code span}. */
    public long weightBytes(Span span) {
        long sum = sharedBytes + blocksOf(span);
        boolean head = span.isHead();
        boolean tail = span.isTail(blockCount());
        sum += head ? embeddingBytes : 0;
        sum += tail && !(head && tied) ? outputBytes : 0;
        return sum;
    }

    /** Weight bytes read to decode one token: of the embedding only a row is. */
    public long decodeBytes(Span span) {
        return blocksOf(span) + (span.isTail(blockCount()) ? outputBytes : 0);
    }

    /** KV bytes of {@code positions} positions in {@code span}. */
    public long kvBytes(Span span, long positions) {
        return positions * span.length() * kvBytesPerPositionPerBlock;
    }

    /** Memory the shard of {@code span} takes with so many KV positions. */
    public long memoryBytes(Span span, int kvCells) {
        return weightBytes(span)
                + kvBytes(span, kvCells)
                + buffers.bytes(span.isTail(blockCount()), kvCells);
    }

    private long blocksOf(Span span) {
        long sum = 0;
        for (long bytes : blockBytes.subList(span.first(), span.end())) {
            sum += bytes;
        }
        return sum;
    }
}
