package coop.sahkar.worker.gguf;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.ShardBuffers;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;

/**
 * What a model's parts take, for whoever divides it among workers.
 *
 * @param blockBytes weights of each block
 * @param sharedBytes weights that every shard carries
 * @param headBytes what the head carries besides: the embedding
 * @param tailBytes what the tail carries besides: the output matrix
 * @param tied whether these two are one tensor, which a whole model carries once
 * @param kvBytesPerPosition of each block: bytes one position takes in an F16 KV cache
 * @param buffers what llama.cpp takes for a shard besides
 */
public record ModelSizes(
        List<Long> blockBytes,
        long sharedBytes,
        long headBytes,
        long tailBytes,
        boolean tied,
        List<Long> kvBytesPerPosition,
        ShardBuffers buffers) {
    public ModelSizes {
        blockBytes = List.copyOf(blockBytes);
        kvBytesPerPosition = List.copyOf(kvBytesPerPosition);
    }

    /**
     * Adds a model's tensors up.
     *
     * @throws GgufException if the manifest would not pass {@link ManifestCheck}
     */
    public static ModelSizes of(ModelManifest manifest) throws GgufException {
        ModelShape shape = ModelShape.of(manifest.metadata(), manifest.shortId());
        List<Long> blocks = new ArrayList<>(Collections.nCopies(shape.blockCount(), 0L));
        long shared = 0;
        long embedding = 0;
        long output = 0;
        for (TensorEntry tensor : manifest.tensors()) {
            OptionalInt block = TensorNames.block(tensor.name());
            if (block.isPresent()) {
                blocks.set(block.getAsInt(), blocks.get(block.getAsInt()) + tensor.bytes());
            } else if (tensor.name().equals(TensorNames.EMBEDDING)) {
                embedding = tensor.bytes();
            } else if (tensor.name().equals(TensorNames.OUTPUT)) {
                output = tensor.bytes();
            } else {
                shared += tensor.bytes();
            }
        }
        return new ModelSizes(
                blocks,
                shared,
                embedding,
                manifest.tied() ? embedding : output,
                manifest.tied(),
                shape.kvBytesPerPosition(),
                ShardBuffers.of(manifest.width(), manifest.vocabulary(), attentionHeads(manifest)));
    }

    /** Query heads of every block; 0 where they differ or are not said. */
    public static int attentionHeads(ModelManifest manifest) {
        long heads =
                manifest.metadata()
                        .whole(manifest.architecture() + ".attention.head_count")
                        .orElse(0);
        return Math.clamp(heads, 0, Limits.MAX_ATTENTION_HEADS);
    }

    /** Weights of a shard in bytes, without the few kilobytes of its header. */
    public long shardBytes(Span span) {
        long bytes = sharedBytes + sum(blockBytes, span);
        bytes += span.isHead() ? headBytes : 0;
        boolean tail = span.isTail(blockBytes.size());
        boolean countedAlready = span.isHead() && tied;
        return bytes + (tail && !countedAlready ? tailBytes : 0);
    }

    /** Bytes one position takes in the F16 KV cache of a stage. */
    public long kvBytesPerPosition(Span span) {
        return sum(kvBytesPerPosition, span);
    }

    private static long sum(List<Long> values, Span span) {
        return values.subList(span.first(), span.end()).stream().mapToLong(Long::longValue).sum();
    }
}
