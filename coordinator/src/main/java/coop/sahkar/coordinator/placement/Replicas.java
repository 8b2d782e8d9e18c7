package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.proto.Span;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Further copies of one model's spans on workers that are not in its chain. Those that stand are
 * kept for all models before any is added, or plans would take turns.
 */
final class Replicas {
    private final PlanModel model;
    private final List<Load> loads;
    private final int kvCells;
    private final NavigableMap<Span, Double> tokensPerSecond = new TreeMap<>();

    /** Begins with the chain, which has been taken already. */
    Replicas(PlanModel model, Chain chain, List<Load> loads) {
        this.model = model;
        this.loads = loads;
        this.kvCells = chain.kvCells();
        for (int i = 0; i < chain.loads().size(); i++) {
            Span span = chain.spans().get(i);
            tokensPerSecond.put(span, speed(chain.loads().get(i), span));
        }
    }

    /** Keeps the copies that stand, where their worker has room left. */
    void keep(Placement current) {
        for (Load load : loads) {
            for (AssignedShard shard : current.of(load.id())) {
                if (shard.modelId().equals(model.id())
                        && tokensPerSecond.containsKey(shard.span())
                        && canTake(load, shard.span())) {
                    take(load, shard.span());
                }
            }
        }
    }

    /** Gives every worker that has room left a copy of the span that is served slowest in all. */
    void add() {
        for (Load load : loads) {
            tokensPerSecond.keySet().stream()
                    .filter(span -> canTake(load, span))
                    .min(Comparator.comparing(tokensPerSecond::get))
                    .ifPresent(span -> take(load, span));
        }
    }

    private boolean canTake(Load load, Span span) {
        return !load.serves(model.id()) && load.fits(model.footprint(), span, kvCells);
    }

    private void take(Load load, Span span) {
        tokensPerSecond.merge(span, speed(load, span), Double::sum);
        load.take(model, span, kvCells);
    }

    private double speed(Load load, Span span) {
        return 1e9 / Math.max(1, load.nanos(model.footprint(), span));
    }
}
