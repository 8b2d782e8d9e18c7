package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.placement.PoolSight;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.proto.Span;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** What a coordinator knows to be usable stays so while a new placement comes into force. */
final class MakeBeforeBreak {
    private static final int MOST_CHARS_SHOWN = 2000;

    private final PoolSight sight;
    private final Placement current;
    private final Placement next;
    private final SortedMap<String, Model> models = new TreeMap<>();

    /** One model's spans; those of workers that leave count in {@code all} ones only. */
    private static final class Model {
        final SortedSet<Span> serving = new TreeSet<>();
        final SortedSet<Span> staying = new TreeSet<>();
        final SortedSet<Span> allServing = new TreeSet<>();
        final SortedSet<Span> allStaying = new TreeSet<>();
        final SortedSet<Span> given = new TreeSet<>();
        boolean onlyLeaversGo = true;
    }

    /**
     * @param sight what the placement was decided on
     */
    MakeBeforeBreak(PoolSight sight, Placement next) {
        this.sight = sight;
        this.current = sight.state().placement();
        this.next = next;
        sight.state().models().keySet().forEach(id -> models.put(id, new Model()));
    }

    /** Throws where a model is broken before its replacement serves. */
    void check() {
        sight.presence().values().forEach(this::count);
        models.forEach(this::check);
    }

    private void count(WorkerPresence worker) {
        boolean leaves = worker.standing() == Standing.LEAVING;
        List<AssignedShard> had = current.of(worker.workerId());
        List<AssignedShard> gets = next.of(worker.workerId());
        for (ShardStatus shard : worker.shards()) {
            Model model = models.get(shard.modelId());
            if (model != null && shard.serving() && has(had, shard)) {
                count(model, shard.span(), leaves, has(gets, shard));
            }
        }
        boolean here = worker.standing() != Standing.GONE && !leaves;
        for (AssignedShard shard : here ? gets : List.<AssignedShard>of()) {
            Model model = models.get(shard.modelId());
            if (model != null) {
                model.given.add(shard.span());
            }
        }
    }

    private static void count(Model model, Span span, boolean leaves, boolean stays) {
        model.allServing.add(span);
        if (stays) {
            model.allStaying.add(span);
        }
        if (!leaves) {
            model.serving.add(span);
            model.onlyLeaversGo &= stays;
            if (stays) {
                model.staying.add(span);
            }
        }
    }

    private void check(String id, Model model) {
        if (breaks(id, model.serving, model.staying)) {
            throw broken("breaks %s before its replacement is made", id, model.staying);
        }
        // Where nobody can take its place, one that leaves need not wait.
        if (model.onlyLeaversGo
                && chains(id, model.given)
                && breaks(id, model.allServing, model.allStaying)) {
            throw broken("lets a leaver go before others serve %s", id, model.allStaying);
        }
    }

    private boolean breaks(String id, SortedSet<Span> before, SortedSet<Span> after) {
        return chains(id, before) && !chains(id, after);
    }

    private boolean chains(String id, SortedSet<Span> spans) {
        var model = sight.state().models().get(id);
        return model != null && Coverage.chains(spans, model.manifest().blockCount());
    }

    private static boolean has(List<AssignedShard> shards, ShardStatus one) {
        for (AssignedShard shard : shards) {
            boolean same = shard.span().equals(one.span()) && shard.kvCells() == one.kvCells();
            if (same && shard.modelId().equals(one.modelId())) {
                return true;
            }
        }
        return false;
    }

    private Violation broken(String what, String id, SortedSet<Span> stays) {
        return new Violation(
                "placement %d %s: of it only %s stay; from %s to %s"
                        .formatted(
                                next.generation(),
                                what.formatted(id.substring(0, id.indexOf('@'))),
                                stays,
                                shown(current),
                                shown(next)));
    }

    private static String shown(Placement placement) {
        StringBuilder text = new StringBuilder();
        placement
                .assignments()
                .forEach((worker, shards) -> {
                    text.append(worker);
                    shards.forEach(s ->
                            text.append(' ')
                                    .append(s.modelId(), 0, s.modelId().indexOf('@'))
                                    .append(s.span()));
                    text.append("; ");
                });
        return text.substring(0, Math.min(MOST_CHARS_SHOWN, text.length()));
    }
}
