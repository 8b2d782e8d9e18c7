package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.Placement;
import java.util.List;

/**
 * Everything a plan depends on.
 *
 * @param workers those that are here, by id
 * @param leaving those that are about to leave: they are given nothing, and what they serve stays
 *     there only until others serve it
 * @param models in the order in which they have a claim on memory
 * @param current the placement in force
 * @param kvPositions positions every shard's KV cache should hold
 * @param minKvPositions fewest positions worth placing a model for
 */
public record PlanView(
        List<PlanWorker> workers,
        List<PlanWorker> leaving,
        List<PlanModel> models,
        Placement current,
        int kvPositions,
        int minKvPositions) {
    public PlanView {
        workers = List.copyOf(workers);
        leaving = List.copyOf(leaving);
        models = List.copyOf(models);
    }

    /** A pool that nobody is about to leave. */
    public PlanView(
            List<PlanWorker> workers,
            List<PlanModel> models,
            Placement current,
            int kvPositions,
            int minKvPositions) {
        this(workers, List.of(), models, current, kvPositions, minKvPositions);
    }

    /** The same, with no worker's failures held against it. */
    PlanView forgiving() {
        List<PlanWorker> forgiven =
                workers.stream()
                        .map(w ->
                                new PlanWorker(
                                        w.id(),
                                        w.memoryBytes(),
                                        w.bytesPerSecond(),
                                        w.release(),
                                        w.serving(),
                                        List.of(),
                                        w.heard()))
                        .toList();
        return new PlanView(forgiven, leaving, models, current, kvPositions, minKvPositions);
    }
}
