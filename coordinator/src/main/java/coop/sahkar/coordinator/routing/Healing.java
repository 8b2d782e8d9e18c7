package coop.sahkar.coordinator.routing;

import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Reach;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.PoolState;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Whether the pool is on its way to serve a model in another manner than now, so that waiting is
 * worth while. Pure.
 *
 * <p>It is as long as the placement in force counts on a worker that is not here, or that has
 * fallen silent, or on a shard that is not served yet: then a new placement is due, or a worker
 * fetches and loads. It is not when the last plan found no room for the model, nor when everything
 * is as it should be.
 */
final class Healing {
    /** Reports that a worker may miss before a new placement is expected. */
    private static final int MISSED_REPORTS = 2;

    private Healing() {}

    /**
     * Looks at one model.
     *
     * @param attendance how a worker fares
     * @param shortfall why the model cannot be placed whole; empty when it can
     */
    static boolean underway(
            PoolState state,
            String modelId,
            Function<String, WorkerPresence> attendance,
            String shortfall,
            long nowMillis) {
        if (!shortfall.isEmpty()) {
            return false;
        }
        long silentMillis = (long) MISSED_REPORTS * state.policy().reportIntervalMillis();
        for (Map.Entry<String, List<AssignedShard>> assigned :
                state.placement().assignments().entrySet()) {
            List<AssignedShard> shards =
                    assigned.getValue().stream().filter(s -> s.modelId().equals(modelId)).toList();
            if (shards.isEmpty()) {
                continue;
            }
            WorkerPresence worker = attendance.apply(assigned.getKey());
            boolean settled =
                    worker.standing() == Standing.HERE
                            && worker.reach() != Reach.TESTING
                            && nowMillis - worker.lastHeardMillis() <= silentMillis
                            && shards.stream().allMatch(shard -> settled(worker, shard));
            if (!settled) {
                return true;
            }
        }
        return false;
    }

    /** Whether a shard is served, or has failed, which a plan had its say about. */
    private static boolean settled(WorkerPresence worker, AssignedShard assigned) {
        return worker.shards().stream()
                .filter(shard -> shard.modelId().equals(assigned.modelId()))
                .filter(shard -> shard.span().equals(assigned.span()))
                .anyMatch(shard -> shard.serving() || shard.phase() == ShardStatus.Phase.FAILED);
    }
}
