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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * Makes the planner's view of the pool. What was made of a worker of which nothing has changed is
 * used again, so that looking at a large pool costs little, and telling whether it has changed
 * less.
 */
final class PlanViews {
    private Map<String, Made> made = Map.of();

    /** What was made of a worker, and of what. */
    private record Made(
            WorkerRecord record,
            List<ShardStatus> shards,
            boolean reports,
            List<AssignedShard> placed,
            List<AssignedShard> failed,
            PlanWorker worker) {

        /** Whether it was made of the very same; what is only equal is made again. */
        @SuppressWarnings("ReferenceEquality")
        boolean of(
                WorkerRecord otherRecord,
                WorkerPresence presence,
                List<AssignedShard> otherPlaced,
                List<AssignedShard> otherFailed) {
            return record == otherRecord
                    && shards == presence.shards()
                    && reports == presence.reports()
                    && placed.equals(otherPlaced)
                    && failed.equals(otherFailed);
        }
    }

    /**
     * The view at this moment.
     *
     * @param presences how the workers fare, by id
     */
    PlanView of(PoolSight sight, List<WorkerPresence> presences, Recent recent) {
        PoolState state = sight.state();
        SortedMap<String, List<AssignedShard>> failed = recent.failed();
        List<PlanWorker> workers = new ArrayList<>();
        List<PlanWorker> leaving = new ArrayList<>();
        Map<String, Made> making = LinkedHashMap.newLinkedHashMap(state.workers().size());
        InStep<WorkerRecord> records = new InStep<>(state.workers());
        for (WorkerPresence presence : presences) {
            WorkerRecord worker = records.of(presence.workerId());
            boolean leaves = presence.standing() == Standing.LEAVING;
            if (worker != null && (leaves || counts(state, presence))) {
                List<AssignedShard> fault = failed.getOrDefault(worker.id(), List.of());
                Made one = made(worker, state, presence, fault);
                making.put(worker.id(), one);
                (leaves ? leaving : workers).add(one.worker());
            }
        }
        made = making;
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

    /** What one that may be back in a moment serves is taken to be what it should. */
    private Made made(
            WorkerRecord worker,
            PoolState state,
            WorkerPresence presence,
            List<AssignedShard> failed) {
        boolean reports = presence.reports();
        List<AssignedShard> placed =
                reports ? List.of() : state.placement().of(presence.workerId());
        Made before = made.get(worker.id());
        if (before != null && before.of(worker, presence, placed, failed)) {
            return before;
        }
        PlanWorker fresh =
                new PlanWorker(
                        worker.id(),
                        worker.memoryBytes(),
                        worker.decodeBytesPerSecond(),
                        worker.release(),
                        reports ? serving(presence) : placed,
                        failed,
                        reports);
        PlanWorker same = before != null && before.worker().equals(fresh) ? before.worker() : fresh;
        return new Made(worker, presence.shards(), reports, placed, failed, same);
    }

    /** One that is not here now but may be back in a moment counts for what it had. */
    private static boolean counts(PoolState state, WorkerPresence presence) {
        return presence.standing() == Standing.HERE
                || (presence.keepsItsPlace()
                        && !state.placement().of(presence.workerId()).isEmpty());
    }

    private static List<AssignedShard> serving(WorkerPresence presence) {
        List<AssignedShard> serving = new ArrayList<>(1);
        for (ShardStatus shard : presence.shards()) {
            if (shard.serving()) {
                serving.add(new AssignedShard(shard.modelId(), shard.span(), shard.kvCells()));
            }
        }
        serving.sort(Load.SHARDS);
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
