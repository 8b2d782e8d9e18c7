package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Decides which worker should serve which span. A pure function of the view; the same view gives
 * the same plan.
 *
 * <p>Must hold: a worker's shards (weights, KV and overhead) fit into the memory it lends, and its
 * llama.cpp is new enough for them; spans are contiguous and cut at multiples of the grain; no
 * worker stands twice in a chain; a model has at least {@code minStages} stages if there are as
 * many workers.
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
    private final List<Replicas> replicas = new ArrayList<>();
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
                        replicas.add(new Replicas(model, c, able(model)));
                    },
                    () -> uncovered.add(model));
        }
        for (PlanModel model : uncovered) {
            shortfalls.put(model.id(), Explanation.of(model, loads, view.minKvPositions()));
            keepStanding(model);
        }
        replicas.forEach(r -> r.keep(view.current()));
        replicas.forEach(Replicas::add);
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
            ChainFinder finder = new ChainFinder(model, able(model), cells);
            standing = standing.isPresent() ? standing : finder.standing(view.current());
            fresh = fresh.isPresent() ? fresh : finder.fresh();
        }
        if (standing.isEmpty() || fresh.isEmpty()) {
            return standing.isPresent() ? standing : fresh;
        }
        return worthMoving(model, standing.get(), fresh.get()) ? fresh : standing;
    }

    private List<Load> able(PlanModel model) {
        return loads.stream().filter(load -> load.canLoad(model)).toList();
    }

    private static boolean worthMoving(PlanModel model, Chain standing, Chain fresh) {
        return standing.slowestNanos(model) > fresh.slowestNanos(model) * WORTH_MOVING
                || standing.kvCells() < fresh.kvCells() / KV_WORTH_MOVING;
    }

    private void keepStanding(PlanModel model) {
        for (Load load : able(model)) {
            for (AssignedShard shard : view.current().of(load.id())) {
                if (shard.modelId().equals(model.id())
                        && load.fits(model.footprint(), shard.span(), shard.kvCells())) {
                    load.take(model, shard.span(), shard.kvCells());
                }
            }
        }
    }
}
