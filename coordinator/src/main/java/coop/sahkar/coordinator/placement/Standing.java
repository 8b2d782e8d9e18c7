package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.routing.Coverage;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** Takes over the placement in force, as far as its workers are here and can still hold it. */
final class Standing {
    private final PlanView view;
    private final Roster roster;
    private final Map<String, Holding> models;

    /**
     * @param models by id, in the order of their ids
     */
    Standing(PlanView view, Roster roster, Map<String, Holding> models) {
        this.view = view;
        this.roster = roster;
        this.models = models;
    }

    /** Gives everybody what they have. */
    void keep() {
        view.workers().forEach(this::serves);
        view.leaving().forEach(this::serves);
        InStep<List<AssignedShard>> current = new InStep<>(view.current().assignments());
        for (Load load : roster.all()) {
            List<AssignedShard> had = current.of(load.id());
            if (had != null) {
                keep(load, had, true);
                keep(load, had, false);
            }
        }
        roster.leaving().forEach(this::leaves);
        models.values().forEach(Holding::stands);
        models.values().forEach(this::oneEach);
    }

    private void serves(PlanWorker worker) {
        for (AssignedShard served : worker.serving()) {
            Holding model = models.get(served.modelId());
            if (model != null) {
                model.servedSomewhere(served.span());
            }
        }
    }

    /** What one that leaves was told to give up it does not take back. */
    private void leaves(Load load) {
        for (AssignedShard shard : view.current().of(load.id())) {
            Holding model = models.get(shard.modelId());
            if (model != null && load.serves(shard.modelId(), shard.span())) {
                model.leaves(new Shard(load, model, shard.span(), shard.kvCells()));
            }
        }
    }

    /** What a worker serves it can load, whatever failed there before. */
    private void keep(Load load, List<AssignedShard> had, boolean serving) {
        for (AssignedShard shard : had) {
            Holding model = models.get(shard.modelId());
            boolean counts = model != null && load.serves(shard.modelId(), shard.span()) == serving;
            if (model != null
                    && counts
                    && model.model().cuts().allow(shard.span())
                    && (serving || load.takes(model, shard.span()))
                    && model.costs().bytes(shard.span(), shard.kvCells()) <= load.freeBytes()) {
                model.give(load, shard.span(), shard.kvCells());
            }
        }
    }

    /**
     * In the middle of a change a worker has two spans of a model, the old and the new. The better
     * cut is the one that the change leads to; it was found better before, and is again. Of a part
     * and a spare beside it, either may be the better one to count on; the other is given again if
     * it is needed.
     */
    private void oneEach(Holding model) {
        SortedMap<Integer, List<Shard>> several = new TreeMap<>();
        for (Shard shard : model.shards()) {
            if (shard.load().shards().size() == 1) {
                continue;
            }
            several.computeIfAbsent(shard.load().index(), _ -> new ArrayList<>()).add(shard);
        }
        several.values().removeIf(shards -> shards.size() == 1);
        if (several.isEmpty()) {
            return;
        }
        List<List<Span>> chains = Chains.all(model.blocks(), model.spans());
        List<Shard> best = List.of();
        double bestWorth = -1;
        for (List<Span> chain : chains.isEmpty() ? List.of(List.<Span>of()) : chains) {
            List<Shard> dropped = new ArrayList<>();
            for (List<Shard> shards : several.values()) {
                Shard kept = kept(shards, chain);
                shards.stream().filter(shard -> shard != kept).forEach(dropped::add);
            }
            dropped.forEach(model::take);
            double worth = worth(model);
            if (worth > bestWorth) {
                best = List.copyOf(dropped);
                bestWorth = worth;
            }
            dropped.forEach(model::put);
        }
        best.forEach(model::take);
        several.values().forEach(shards -> exchange(model, shards));
    }

    /** Counts on another of a worker's shards, if more passes then. */
    private static void exchange(Holding model, List<Shard> shards) {
        for (Shard other : shards) {
            double worth = worth(model);
            List<Shard> kept = shards.stream().filter(model.shards()::contains).toList();
            kept.forEach(model::take);
            model.put(other);
            if (worth(model) <= worth) {
                model.take(other);
                kept.forEach(model::put);
            }
        }
    }

    private static Shard kept(List<Shard> shards, List<Span> chain) {
        for (Shard shard : shards) {
            if (chain.contains(shard.span())) {
                return shard;
            }
        }
        return shards.getFirst();
    }

    /**
     * More where more stages that are asked for are there, then where more passes; without a chain
     * less than with any, and the less the more is missing.
     */
    private static double worth(Holding model) {
        int stages = model.stages();
        if (stages == 0) {
            int missing = 0;
            for (Span gap : Coverage.missing(model.blocks(), List.copyOf(model.spans()))) {
                missing += gap.length();
            }
            return 1 - (double) missing / model.blocks();
        }
        boolean asked = stages >= Math.max(1, model.model().minStages());
        return (asked ? 1e12 : 1) * (1 + passes(model));
    }

    private static double passes(Holding model) {
        List<Integer> places = new ArrayList<>();
        TreeSet<Integer> cuts = new TreeSet<>();
        for (Span span : model.spans()) {
            cuts.add(span.first());
            cuts.add(span.end());
        }
        places.addAll(cuts);
        double[][] rates = new double[places.size()][places.size()];
        for (Shard shard : model.shards()) {
            int first = places.indexOf(shard.span().first());
            int end = places.indexOf(shard.span().end());
            rates[first][end] += 1e9 / shard.nanos();
        }
        return Flow.most(rates);
    }
}
