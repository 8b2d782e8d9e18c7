package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** Takes over the placement in force, as far as its workers are here and can still hold it. */
final class Standing {
    private final PlanView view;
    private final Roster roster;
    private final SortedMap<String, Holding> models;

    Standing(PlanView view, Roster roster, SortedMap<String, Holding> models) {
        this.view = view;
        this.roster = roster;
        this.models = models;
    }

    /** Gives everybody what they have. */
    void keep() {
        view.workers().forEach(this::serves);
        view.leaving().forEach(this::serves);
        for (Load load : roster.all()) {
            keep(load, true);
            keep(load, false);
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
    private void keep(Load load, boolean serving) {
        for (AssignedShard shard : view.current().of(load.id())) {
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
     * cut is the one that the change leads to; it was found better before, and is again.
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
        List<Shard> best = List.of();
        double bestWorth = -1;
        for (List<Span> chain : Chains.all(model.blocks(), model.spans())) {
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
    }

    private static Shard kept(List<Shard> shards, List<Span> chain) {
        for (Shard shard : shards) {
            if (chain.contains(shard.span())) {
                return shard;
            }
        }
        return shards.getFirst();
    }

    /** More where more stages that are asked for are there, then where more passes. */
    private static double worth(Holding model) {
        int stages = model.stages();
        if (stages == 0) {
            return 0;
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
