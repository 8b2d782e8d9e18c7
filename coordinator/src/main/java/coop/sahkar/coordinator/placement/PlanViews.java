package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.WorkerRecord;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/** Makes the planner's view of the pool. Pure. */
final class PlanViews {
    private PlanViews() {}

    static PlanView of(PoolSight sight) {
        PoolState state = sight.state();
        SortedMap<String, WorkerPresence> presence = sight.presence();
        List<PlanWorker> workers =
                state.workers().values().stream()
                        .filter(w -> counts(state, presence.get(w.id())))
                        .map(PlanViews::worker)
                        .toList();
        List<PlanModel> models =
                state.models().values().stream()
                        .sorted(
                                Comparator.comparingLong(ModelRecord::publishedAtMillis)
                                        .thenComparing(ModelRecord::id))
                        .map(PlanViews::model)
                        .toList();
        return new PlanView(
                workers,
                models,
                state.placement(),
                state.policy().kvPositions(),
                state.policy().minKvPositions());
    }

    /** One that is not here now but may be back in a moment counts for what it had. */
    private static boolean counts(PoolState state, @Nullable WorkerPresence presence) {
        if (presence == null || !presence.keepsItsPlace()) {
            return false;
        }
        return presence.standing() == Standing.HERE
                || !state.placement().of(presence.workerId()).isEmpty();
    }

    private static PlanWorker worker(WorkerRecord w) {
        return new PlanWorker(w.id(), w.memoryBytes(), w.decodeBytesPerSecond(), w.release());
    }

    private static PlanModel model(ModelRecord m) {
        return new PlanModel(
                m.id(),
                m.manifest().name(),
                m.footprint(),
                m.manifest().cuts(),
                m.manifest().oldestRelease(),
                m.minStages());
    }
}
