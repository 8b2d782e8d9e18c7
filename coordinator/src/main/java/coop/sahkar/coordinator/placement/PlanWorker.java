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
 */
public record PlanWorker(
        String id,
        long memoryBytes,
        long bytesPerSecond,
        LlamaRelease release,
        List<AssignedShard> serving,
        List<AssignedShard> failed) {
    public PlanWorker {
        serving = List.copyOf(serving);
        failed = List.copyOf(failed);
    }

    /** A worker that serves nothing yet. */
    public PlanWorker(String id, long memoryBytes, long bytesPerSecond, LlamaRelease release) {
        this(id, memoryBytes, bytesPerSecond, release, List.of(), List.of());
    }

    /** The same, serving these. */
    public PlanWorker serving(List<AssignedShard> shards) {
        return new PlanWorker(id, memoryBytes, bytesPerSecond, release, shards, failed);
    }
}
