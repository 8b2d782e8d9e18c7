package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.WorkerRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;

/** Makes the planner's view of the pool. Pure. */
final class PlanViews {
    private static final Comparator<AssignedShard> SHARDS =
            Comparator.comparing(AssignedShard::modelId).thenComparing(AssignedShard::span);

    private PlanViews() {}

    static PlanView of(PoolSight sight, Recent recent) {
        PoolState state = sight.state();
        SortedMap<String, List<AssignedShard>> failed = recent.failed();
        List<PlanWorker> workers = new ArrayList<>();
        List<PlanWorker> leaving = new ArrayList<>();
        for (WorkerRecord worker : state.workers().values()) {
            WorkerPresence presence = sight.presence().get(worker.id());
            if (presence == null) {
                continue;
            }
            boolean leaves = presence.standing() == Standing.LEAVING;
            if (leaves || counts(state, presence)) {
                List<AssignedShard> fault = failed.getOrDefault(worker.id(), List.of());
                (leaves ? leaving : workers).add(worker(worker, state, presence, fault));
            }
        }
        List<PlanModel> models =
                state.models().values().stream()
                        .sorted(
                                Comparator.comparingLong(ModelRecord::publishedAtMillis)
                                        .thenComparing(ModelRecord::id))
                        .map(model -> model(model, sight, recent))
                        .toList();
        return new PlanView(
                workers,
                leaving,
                models,
                state.placement(),
                state.policy().kvPositions(),
                state.policy().minKvPositions());
    }

    private static PlanWorker worker(
            WorkerRecord worker,
            PoolState state,
            WorkerPresence presence,
            List<AssignedShard> failed) {
        return new PlanWorker(
                worker.id(),
                worker.memoryBytes(),
                worker.decodeBytesPerSecond(),
                worker.release(),
                serving(state, presence),
                failed,
                presence.reports());
    }

    /** One that is not here now but may be back in a moment counts for what it had. */
    private static boolean counts(PoolState state, WorkerPresence presence) {
        return presence.standing() == Standing.HERE
                || (presence.keepsItsPlace()
                        && !state.placement().of(presence.workerId()).isEmpty());
    }

    /** What one that may be back in a moment serves is taken to be what it should. */
    private static List<AssignedShard> serving(PoolState state, WorkerPresence presence) {
        if (!presence.reports()) {
            return state.placement().of(presence.workerId());
        }
        List<AssignedShard> serving = new ArrayList<>(1);
        for (ShardStatus shard : presence.shards()) {
            if (shard.serving()) {
                serving.add(new AssignedShard(shard.modelId(), shard.span(), shard.kvCells()));
            }
        }
        serving.sort(SHARDS);
        return serving;
    }

    private static PlanModel model(ModelRecord model, PoolSight sight, Recent recent) {
        return new PlanModel(
                model.id(),
                model.manifest().name(),
                model.footprint(),
                model.manifest().cuts(),
                model.manifest().oldestRelease(),
                model.minStages(),
                !sight.unsourced().contains(model.id()),
                recent.demand(model.id()));
    }
}
