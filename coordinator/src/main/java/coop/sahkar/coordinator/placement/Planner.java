package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Decides which worker should serve which span. A pure function of the view; the same view gives
 * the same plan.
 *
 * <p>Must hold: a worker's shards (weights, KV and overhead) fit into the memory it lends; spans
 * are contiguous and cut at multiples of the grain; no worker stands twice in a chain; a model has
 * at least {@code minStages} stages if there are as many workers.
 *
 * <p>Goals, the weightier first:
 *
 * <ol>
 *   <li>every block of every model is covered, older models first;
 *   <li>what stands stays, unless the slowest stage could be {@link #WORTH_MOVING} times as fast;
 *   <li>as few stages as hold the model;
 *   <li>the slowest stage is as fast as possible, spans proportional to speed;
 *   <li>KV caches hold as many positions as the policy wants, or half, or a quarter, …;
 *   <li>workers left over serve the weakest spans a second time.
 * </ol>
 *
 * <p>A model that cannot be covered keeps what serves it now, so that it heals when the missing
 * worker returns, and is explained in a sentence.
 */
public final class Planner {
    /** A standing chain is cut anew only for this gain: moving weights costs minutes. */
    static final double WORTH_MOVING = 1.5;

    /** Or for this many times the KV positions. */
    static final int KV_WORTH_MOVING = 4;

    /** So that plans that differ only in how they were found are equal. */
    private static final Comparator<AssignedShard> SHARDS =
            Comparator.comparing(AssignedShard::modelId).thenComparing(AssignedShard::span);

    private final PlanView view;
    private final List<Load> loads;
    private final SortedMap<String, Chain> chains = new TreeMap<>();
    private final SortedMap<String, String> shortfalls = new TreeMap<>();

    private Planner(PlanView view) {
        this.view = view;
        this.loads =
                view.workers().stream()
                        .sorted(Comparator.comparing(PlanWorker::id))
                        .map(Load::new)
                        .toList();
    }

    /** Makes a plan. */
    public static Plan plan(PlanView view) {
        return new Planner(view).plan();
    }

    private Plan plan() {
        List<PlanModel> uncovered = new ArrayList<>();
        for (PlanModel model : view.models()) {
            Optional<Chain> chain = chain(model);
            chain.ifPresentOrElse(
                    c -> {
                        c.take(model);
                        chains.put(model.id(), c);
                    },
                    () -> uncovered.add(model));
        }
        for (PlanModel model : uncovered) {
            shortfalls.put(model.id(), Explanation.of(model, loads, view.minKvPositions()));
            keepStanding(model);
        }
        for (PlanModel model : view.models()) {
            Chain chain = chains.get(model.id());
            if (chain != null) {
                replicate(model, chain);
            }
        }
        SortedMap<String, List<AssignedShard>> assignments = new TreeMap<>();
        for (Load load : loads) {
            if (!load.shards().isEmpty()) {
                assignments.put(load.id(), load.shards().stream().sorted(SHARDS).toList());
            }
        }
        return new Plan(assignments, shortfalls);
    }

    private Optional<Chain> chain(PlanModel model) {
        Optional<Chain> standing = Optional.empty();
        Optional<Chain> fresh = Optional.empty();
        for (int cells = view.kvPositions(); cells >= view.minKvPositions(); cells /= 2) {
            ChainFinder finder = new ChainFinder(model, loads, cells);
            standing = standing.isPresent() ? standing : finder.standing(view.current());
            fresh = fresh.isPresent() ? fresh : finder.fresh();
        }
        if (standing.isEmpty() || fresh.isEmpty()) {
            return standing.isPresent() ? standing : fresh;
        }
        return worthMoving(model, standing.get(), fresh.get()) ? fresh : standing;
    }

    private static boolean worthMoving(PlanModel model, Chain standing, Chain fresh) {
        return standing.slowestNanos(model) > fresh.slowestNanos(model) * WORTH_MOVING
                || standing.kvCells() < fresh.kvCells() / KV_WORTH_MOVING;
    }

    private void keepStanding(PlanModel model) {
        for (Load load : loads) {
            for (AssignedShard shard : view.current().of(load.id())) {
                if (shard.modelId().equals(model.id())
                        && load.fits(model.footprint(), shard.span(), shard.kvCells())) {
                    load.take(model, shard.span(), shard.kvCells());
                }
            }
        }
    }

    private void replicate(PlanModel model, Chain chain) {
        NavigableMap<Span, Double> tokensPerSecond = new TreeMap<>();
        for (int i = 0; i < chain.loads().size(); i++) {
            Span span = chain.spans().get(i);
            tokensPerSecond.put(span, speed(model, chain.loads().get(i), span));
        }
        List<Load> spare = loads.stream().filter(l -> !l.serves(model.id())).toList();
        for (Load load : spare) {
            for (AssignedShard shard : view.current().of(load.id())) {
                boolean stands =
                        shard.modelId().equals(model.id())
                                && tokensPerSecond.containsKey(shard.span());
                if (stands && load.fits(model.footprint(), shard.span(), chain.kvCells())) {
                    take(model, chain, load, shard.span(), tokensPerSecond);
                    break;
                }
            }
        }
        for (Load load : spare) {
            if (!load.serves(model.id())) {
                tokensPerSecond.keySet().stream()
                        .filter(span -> load.fits(model.footprint(), span, chain.kvCells()))
                        .min(Comparator.comparing(tokensPerSecond::get))
                        .ifPresent(span -> take(model, chain, load, span, tokensPerSecond));
            }
        }
    }

    private static void take(
            PlanModel model,
            Chain chain,
            Load load,
            Span span,
            NavigableMap<Span, Double> tokensPerSecond) {
        tokensPerSecond.merge(span, speed(model, load, span), Double::sum);
        load.take(model, span, chain.kvCells());
    }

    private static double speed(PlanModel model, Load load, Span span) {
        return 1e9 / Math.max(1, load.nanos(model.footprint(), span));
    }
}
