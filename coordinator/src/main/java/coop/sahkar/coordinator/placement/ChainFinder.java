package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Finds one chain for a model: as few stages as hold it, though at least as many as asked for; then
 * the fastest. Which workers, and in what order, is tried over a few sensible choices rather than
 * all: cuts within a choice are exact.
 */
final class ChainFinder {
    private final PlanModel model;
    private final List<Load> loads;
    private final int kvCells;

    ChainFinder(PlanModel model, List<Load> loads, int kvCells) {
        this.model = model;
        this.loads = loads;
        this.kvCells = kvCells;
    }

    /** Stages a chain must have, given how many workers there are. */
    int leastStages() {
        int asked = Math.max(1, model.minStages());
        return Math.max(1, Math.min(asked, Math.min(loads.size(), model.cuts().units())));
    }

    /** The chain to build if nothing stood yet. */
    Optional<Chain> fresh() {
        int most = Math.min(loads.size(), model.cuts().units());
        for (int stages = leastStages(); stages <= most; stages++) {
            Chain best = null;
            long bestNanos = Long.MAX_VALUE;
            for (List<Load> order : orders(stages)) {
                Chain chain = new Cutter(model, order, kvCells).cut();
                long nanos = chain == null ? Long.MAX_VALUE : chain.slowestNanos(model);
                if (chain != null && nanos < bestNanos) {
                    best = chain;
                    bestNanos = nanos;
                }
            }
            if (best != null) {
                return Optional.of(best);
            }
        }
        return Optional.empty();
    }

    private Set<List<Load>> orders(int stages) {
        Comparator<Load> byId = Comparator.comparing(Load::id);
        Comparator<Load> fastFirst = Comparator.comparingLong(l -> -l.bytesPerSecond());
        Comparator<Load> roomyFirst = Comparator.comparingLong(l -> -l.freeBytes());
        Set<List<Load>> orders = new LinkedHashSet<>();
        for (Comparator<Load> choice :
                List.of(fastFirst.thenComparing(roomyFirst), roomyFirst.thenComparing(fastFirst))) {
            List<Load> chosen =
                    loads.stream().sorted(choice.thenComparing(byId)).limit(stages).toList();
            orders.add(chosen.stream().sorted(byId).toList());
            orders.add(chosen);
            orders.add(chosen.reversed());
            List<Load> roomyEnds = new ArrayList<>(chosen.subList(1, stages));
            roomyEnds.add(chosen.getFirst());
            orders.add(List.copyOf(roomyEnds));
        }
        return orders;
    }

    /** The chain that stands, if all of it is still here, fits and has enough stages. */
    Optional<Chain> standing(Placement current) {
        SortedMap<Span, Load> bySpan = new TreeMap<>();
        for (Load load : loads) {
            for (AssignedShard shard : current.of(load.id())) {
                if (shard.modelId().equals(model.id()) && shard.kvCells() == kvCells) {
                    bySpan.putIfAbsent(shard.span(), load);
                }
            }
        }
        List<Load> order = new ArrayList<>();
        List<Span> spans = new ArrayList<>();
        int block = 0;
        while (block < model.footprint().blockCount()) {
            Span next = longestFrom(bySpan, block);
            if (next == null) {
                return Optional.empty();
            }
            Load load = bySpan.get(next);
            if (load == null
                    || order.contains(load)
                    || !load.fits(model.footprint(), next, kvCells)) {
                return Optional.empty();
            }
            order.add(load);
            spans.add(next);
            block = next.end();
        }
        return order.size() >= leastStages()
                ? Optional.of(new Chain(order, spans, kvCells))
                : Optional.empty();
    }

    private static @Nullable Span longestFrom(SortedMap<Span, Load> bySpan, int block) {
        Span longest = null;
        for (Span span : bySpan.keySet()) {
            if (span.first() == block) {
                longest = span;
            }
        }
        return longest;
    }
}
