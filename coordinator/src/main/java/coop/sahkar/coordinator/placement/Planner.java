package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Decides which worker should serve which span. A pure function of the view; the same view gives
 * the same plan, and a plan in force gives itself.
 *
 * <p>Must hold: a worker's shards (weights, KV and overhead) fit into the memory it lends, and its
 * llama.cpp is new enough for them; spans are contiguous and cut at multiples of the grain; a shard
 * is given only to a worker that can have its bytes, from a published source or from a worker that
 * serves them; a model that is served stays served while it changes; a model has at least {@code
 * minStages} stages if there are as many workers.
 *
 * <p>Goals, the weightier first:
 *
 * <ol>
 *   <li>every block of every model is covered, older models first;
 *   <li>what stands stays: gaps are mended where they are, by idle workers, then by others with
 *       room, then in place of further copies; a model is built anew only if that does not do;
 *   <li>KV caches hold as many positions as the policy wants, or half, or a quarter, …;
 *   <li>as many tokens per second for each model as are asked of it;
 *   <li>whichever worker goes, a chain of the others is left;
 *   <li>as many tokens per second as possible for the model that gets least of what is asked of it,
 *       with as few stages as do;
 *   <li>workers left over serve the weakest spans.
 * </ol>
 *
 * <p>A worker that is about to leave is given nothing, and keeps a shard only until others serve
 * its blocks; where nobody can, it may go at once.
 *
 * <p>A model that cannot be covered keeps what serves it, and is explained in a sentence. Workers
 * that are away keep the parts that nobody serves, so that a model heals when they return, whatever
 * became of the attempt to have others fetch them; and if no publisher offers its bytes, all.
 */
public final class Planner {
    /** A plan is refined until that finds nothing more, so that the next finds nothing either. */
    private static final int MOST_ROUNDS = 6;

    private final PlanView view;
    private final Roster roster;
    private final Map<String, Holding> byId = new LinkedHashMap<>();
    private final List<Holding> models = new ArrayList<>();
    private final SortedMap<String, String> shortfalls = new TreeMap<>();

    private Planner(PlanView view) {
        this.view = view;
        this.roster = new Roster(view.workers(), view.leaving());
        for (PlanModel model : view.models()) {
            models.add(new Holding(model));
        }
        models.stream()
                .sorted(Comparator.comparing(Holding::id))
                .forEach(holding -> byId.put(holding.id(), holding));
    }

    /**
     * Makes a plan. Workers are not given again what they failed with lately, unless a model would
     * go without.
     */
    public static Plan plan(PlanView view) {
        Plan plan = new Planner(view).plan();
        boolean failed = view.workers().stream().anyMatch(worker -> !worker.failed().isEmpty());
        if (failed && !plan.shortfalls().isEmpty()) {
            Plan again = new Planner(view.forgiving()).plan();
            return again.shortfalls().size() < plan.shortfalls().size() ? again : plan;
        }
        return plan;
    }

    private Plan plan() {
        new Standing(view, roster, byId).keep();
        Coverer coverer = new Coverer(view, roster.all());
        models.forEach(coverer::cover);
        for (int round = 0; round < MOST_ROUNDS; round++) {
            List<Holding> covered = models.stream().filter(Holding::covered).toList();
            covered.forEach(coverer::improve);
            new Replicas(covered, roster.all()).add();
            if (!refine(round)) {
                break;
            }
        }
        List<Holding> uncovered = models.stream().filter(model -> !model.covered()).toList();
        models.stream().filter(Holding::covered).forEach(Spares::add);
        models.forEach(Planner::handOver);
        roster.all().forEach(Planner::fit);
        return written(uncovered);
    }

    private boolean refine(int round) {
        List<Holding> free =
                models.stream().filter(m -> m.covered() || m.shards().isEmpty()).toList();
        return new Refinement(free, roster.all(), view.minKvPositions(), view.kvPositions())
                .refine(round == 0);
    }

    /** One that is about to leave waits only for what will come. */
    private static void handOver(Holding model) {
        if (model.onlyGrew() && model.leaving().isEmpty()) {
            return; // nobody gives anything up
        }
        Handover handover = new Handover(model);
        if (!model.covered() || !handover.completes()) {
            model.letGo();
            handover = new Handover(model);
        }
        handover.stage();
    }

    /** What must stay a while can leave too little room for what is new: that waits. */
    private static void fit(Load load) {
        if (load.freeBytes() >= 0) {
            return;
        }
        for (Shard shard : List.copyOf(load.shards()).reversed()) {
            boolean stood = shard.model().before().stream().anyMatch(shard::same);
            if (load.freeBytes() < 0 && !stood) {
                shard.model().take(shard);
            }
        }
    }

    private Plan written(List<Holding> uncovered) {
        SortedMap<String, List<AssignedShard>> assignments = assignments();
        for (Holding model : uncovered) {
            shortfalls.put(model.id(), Explanation.of(model, roster.all(), view.minKvPositions()));
        }
        keepForThoseAway(assignments);
        return new Plan(assignments, shortfalls);
    }

    /** The placement in force, changed where it changes. */
    private SortedMap<String, List<AssignedShard>> assignments() {
        SortedMap<String, List<AssignedShard>> assignments =
                new TreeMap<>(view.current().assignments());
        assignments.keySet().removeIf(worker -> !roster.has(worker));
        InStep<List<AssignedShard>> current = new InStep<>(view.current().assignments());
        for (Load load : roster.all()) {
            assign(assignments, load, current.of(load.id()));
        }
        roster.leaving().forEach(load -> assign(assignments, load, null));
        return assignments;
    }

    private static void assign(
            SortedMap<String, List<AssignedShard>> assignments,
            Load load,
            @Nullable List<AssignedShard> had) {
        List<AssignedShard> shards = load.assigned();
        if (shards.isEmpty()) {
            if (had != null) {
                assignments.remove(load.id());
            }
        } else if (!shards.equals(had)) {
            assignments.put(load.id(), shards);
        }
    }

    private void keepForThoseAway(SortedMap<String, List<AssignedShard>> assignments) {
        view.current()
                .assignments()
                .forEach((worker, shards) -> {
                    if (roster.has(worker)) {
                        return;
                    }
                    for (AssignedShard shard : shards) {
                        Holding model = byId.get(shard.modelId());
                        if (model != null && waitedFor(model, shard, roster.leaves(worker))) {
                            add(assignments, worker, shard);
                        }
                    }
                });
    }

    /**
     * Whether a part is kept for one that is away: it may turn out that nobody else can have it.
     */
    private boolean waitedFor(Holding model, AssignedShard shard, boolean leaves) {
        boolean unserved = !leaves && !model.servedNow(shard.span());
        return unserved || (!model.model().sourced() && shortfalls.containsKey(model.id()));
    }

    private static void add(
            SortedMap<String, List<AssignedShard>> assignments,
            String worker,
            AssignedShard shard) {
        List<AssignedShard> more = new ArrayList<>(assignments.getOrDefault(worker, List.of()));
        more.add(shard);
        more.sort(Load.SHARDS);
        assignments.put(worker, more);
    }
}
