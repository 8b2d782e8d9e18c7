package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.proto.LlamaRelease;
import java.util.List;

/**
 * A worker as the planner sees it.
 *
 * @param id its id
 * @param memoryBytes memory it lends
 * @param bytesPerSecond weight bytes it passes per second in decode; 0 when it did not say
 * @param release what its llama.cpp can load
 * @param serving the shards it serves now
 * @param failed shards it could not fetch or load lately
 * @param heard whether it reports what it serves; of one that may be back in a moment that is taken
 *     to be what it should
 */
public record PlanWorker(
        String id,
        long memoryBytes,
        long bytesPerSecond,
        LlamaRelease release,
        List<AssignedShard> serving,
        List<AssignedShard> failed,
        boolean heard) {
    public PlanWorker {
        serving = List.copyOf(serving);
        failed = List.copyOf(failed);
    }

    /** A worker that serves nothing yet. */
    public PlanWorker(String id, long memoryBytes, long bytesPerSecond, LlamaRelease release) {
        this(id, memoryBytes, bytesPerSecond, release, List.of(), List.of(), true);
    }

    /** The same, serving these. */
    public PlanWorker serving(List<AssignedShard> shards) {
        return new PlanWorker(id, memoryBytes, bytesPerSecond, release, shards, failed, heard);
    }
}
