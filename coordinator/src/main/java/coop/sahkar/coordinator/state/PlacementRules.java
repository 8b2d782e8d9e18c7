package coop.sahkar.coordinator.state;

import coop.sahkar.coordinator.state.Refusal.Reason;
import coop.sahkar.proto.Cuts;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What every placement must hold to, whoever made it. */
final class PlacementRules {
    private PlacementRules() {}

    static Optional<Refusal> problem(PoolState state, Placement placement) {
        for (Map.Entry<String, List<AssignedShard>> entry : placement.assignments().entrySet()) {
            if (!state.workers().containsKey(entry.getKey())) {
                return stale("worker %s is not known".formatted(entry.getKey()));
            }
            Set<AssignedShard> seen = new LinkedHashSet<>();
            for (AssignedShard shard : entry.getValue()) {
                Optional<Refusal> wrong = problem(state, shard);
                if (wrong.isPresent()) {
                    return wrong;
                }
                if (!seen.add(shard)) {
                    return invalid("worker %s has a shard twice".formatted(entry.getKey()));
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<Refusal> problem(PoolState state, AssignedShard shard) {
        ModelRecord model = state.models().get(shard.modelId());
        if (model == null) {
            return stale("model %s is not published".formatted(shard.modelId()));
        }
        Cuts cuts = model.manifest().cuts();
        if (!cuts.allow(shard.span()) || shard.kvCells() < 1) {
            return invalid(
                    "%s of %s with %s KV cells is no shard of a model of %s blocks cut by %s"
                            .formatted(
                                    shard.span(),
                                    shard.modelId(),
                                    shard.kvCells(),
                                    cuts.blockCount(),
                                    cuts.grain()));
        }
        return Optional.empty();
    }

    private static Optional<Refusal> stale(String what) {
        return Optional.of(new Refusal(Reason.STALE, "the placement does not fit: " + what));
    }

    private static Optional<Refusal> invalid(String what) {
        return Optional.of(new Refusal(Reason.INVALID, "the placement is wrong: " + what));
    }
}
