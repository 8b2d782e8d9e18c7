package coop.sahkar.worker.agent;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.gguf.GgufException;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.gguf.ModelSizes;

/** What a shard takes in memory, reckoned before anything is loaded. */
final class MemoryNeed {
    private MemoryNeed() {}

    /**
     * The mapped file, keys and values of all positions in F16, and llama.cpp's buffers.
     *
     * @throws GgufException if the manifest is not one that was checked
     */
    static long bytes(ModelManifest manifest, Span span, int kvCells) throws GgufException {
        ModelSizes sizes = ModelSizes.of(manifest);
        return sizes.shardBytes(span)
                + kvCells * sizes.kvBytesPerPosition(span)
                + sizes.buffers().bytes(span.isTail(manifest.blockCount()), kvCells);
    }
}
