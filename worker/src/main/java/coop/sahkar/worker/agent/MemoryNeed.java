package coop.sahkar.worker.agent;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.gguf.GgufException;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.gguf.ModelSizes;
import coop.sahkar.worker.llama.StageOptions;

/**
 * What a shard takes in memory, reckoned before anything is loaded.
 *
 * @param weightBytes the mapped file
 * @param kvBytes keys and values of all positions
 * @param computeBytes llama.cpp's buffers for one batch, at the most
 */
record MemoryNeed(long weightBytes, long kvBytes, long computeBytes) {
    /** Activations that llama.cpp keeps at one time, in widths of a row. */
    private static final int WIDTHS_PER_ROW = 16;

    private static final int USUAL_HEAD_LENGTH = 64;

    /** What a context takes besides: graph, threads, samplers. */
    private static final long BASE_BYTES = 16L << 20;

    /**
     * Reckons.
     *
     * @throws GgufException if the manifest is not one that was checked
     */
    static MemoryNeed of(ModelManifest manifest, Span span, StageOptions options)
            throws GgufException {
        ModelSizes sizes = ModelSizes.of(manifest);
        int kvFactor =
                switch (options.kvType()) {
                    case F32 -> 2;
                    case F16 -> 1;
                };
        long heads =
                manifest.metadata()
                        .whole(manifest.architecture() + ".attention.head_count")
                        .orElse(Math.max(1, manifest.width() / USUAL_HEAD_LENGTH));
        long scores = options.flashAttention() ? 0 : options.kvCells() * heads;
        long logits = span.isTail(manifest.blockCount()) ? manifest.vocabulary() : 0;
        long perRow = scores + logits + (long) WIDTHS_PER_ROW * manifest.width();
        return new MemoryNeed(
                sizes.shardBytes(span),
                options.kvCells() * sizes.kvBytesPerPosition(span) * kvFactor,
                BASE_BYTES + options.maxRows() * perRow * Float.BYTES);
    }

    long bytes() {
        return weightBytes + kvBytes + computeBytes;
    }
}
