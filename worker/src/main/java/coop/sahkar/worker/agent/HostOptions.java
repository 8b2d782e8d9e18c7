package coop.sahkar.worker.agent;

import coop.sahkar.proto.ShardBuffers;
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
    StageOptions stage(int kvCells) {
        return new StageOptions(
                threads,
                kvCells,
                maxSequences,
                Math.min(ShardBuffers.MAX_ROWS, kvCells),
                StageOptions.KvType.F16);
    }
}
