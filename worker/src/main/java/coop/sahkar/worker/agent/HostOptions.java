package coop.sahkar.worker.agent;

import coop.sahkar.worker.llama.StageOptions;

/**
 * How shards are hosted.
 *
 * @param lentBytes memory the donor lends
 * @param threads threads of each stage
 * @param maxSequences sessions a stage tells apart
 * @param gpuLayers blocks that go to a GPU where the library has one
 * @param drainMillis how long sessions of a shard that is given up may go on
 * @param retry rest of a shard after it has failed
 */
public record HostOptions(
        long lentBytes,
        int threads,
        int maxSequences,
        int gpuLayers,
        long drainMillis,
        Backoff retry) {
    /**
     * Rows of one batch: a chunk of a prompt, or decode rows of many sessions beside half of one.
     * llama.cpp's buffers grow with it, by a float for every KV cell and query head.
     */
    private static final int MAX_ROWS = 128;

    StageOptions stage(int kvCells) {
        return new StageOptions(
                threads,
                kvCells,
                maxSequences,
                Math.min(MAX_ROWS, kvCells),
                StageOptions.KvType.F16);
    }
}
