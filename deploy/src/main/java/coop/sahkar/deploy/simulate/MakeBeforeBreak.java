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

    /** Who holds which spans of one model. */
    private static final class Holders {
        final SortedMap<Span, SortedSet<String>> bySpan = new TreeMap<>();
        private final SortedMap<String, Integer> parts = new TreeMap<>();

        void add(Span span, String worker) {
            if (bySpan.computeIfAbsent(span, _ -> new TreeSet<>()).add(worker)) {
                parts.merge(worker, 1, Integer::sum);
            }
        }

        /** Whether there is a chain in which nobody stands twice: no route has a worker twice. */
        boolean chains(int blocks) {
            return chains(0, blocks, new TreeSet<>());
        }

        private boolean chains(int from, int blocks, SortedSet<String> taken) {
            if (from == blocks) {
                return true;
            }
            for (var held : bySpan.entrySet()) {
                int end = held.getKey().end();
                if (held.getKey().first() != from) {
                    continue;
                }
                if (held.getValue().stream()
                        .anyMatch(worker -> parts.getOrDefault(worker, 0) == 1)) {
                    if (chains(end, blocks, taken)) {
                        return true;
                    }
                    continue;
                }
                for (String worker : held.getValue()) {
                    if (taken.add(worker)) {
                        if (chains(end, blocks, taken)) {
                            return true;
                        }
                        taken.remove(worker);
                    }
                }
            }
            return false;
        }
    }

    /** One model's spans; those of workers that leave count in {@code all} ones only. */
    private static final class Model {
        final Holders serving = new Holders();
        final Holders staying = new Holders();
        final Holders allServing = new Holders();
        final Holders allStaying = new Holders();
        final Holders given = new Holders();
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
                count(model, shard.span(), worker.workerId(), leaves, has(gets, shard));
            }
        }
        boolean here = worker.standing() != Standing.GONE && !leaves;
        for (AssignedShard shard : here ? gets : List.<AssignedShard>of()) {
            Model model = models.get(shard.modelId());
            if (model != null) {
                model.given.add(shard.span(), worker.workerId());
            }
        }
    }

    private static void count(
            Model model, Span span, String worker, boolean leaves, boolean stays) {
        model.allServing.add(span, worker);
        if (stays) {
            model.allStaying.add(span, worker);
        }
        if (!leaves) {
            model.serving.add(span, worker);
            model.onlyLeaversGo &= stays;
            if (stays) {
                model.staying.add(span, worker);
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

    private boolean breaks(String id, Holders before, Holders after) {
        return chains(id, before) && !chains(id, after);
    }

    private boolean chains(String id, Holders holders) {
        var model = sight.state().models().get(id);
        return model != null && holders.chains(model.manifest().blockCount());
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

    private Violation broken(String what, String id, Holders stays) {
        return new Violation(
                "placement %d %s: of it only %s stay; from %s to %s"
                        .formatted(
                                next.generation(),
                                what.formatted(id.substring(0, id.indexOf('@'))),
                                stays.bySpan.keySet(),
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
                                    .append(s.span())
                                    .append('x')
                                    .append(s.kvCells()));
                    text.append("; ");
                });
        return text.substring(0, Math.min(MOST_CHARS_SHOWN, text.length()));
    }
}
