package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.Command.ForgetWorker;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.coordinator.state.Transition;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Decides what to propose now. It is shown the pool again and again, plans when what a plan depends
 * on has changed and then been quiet for a moment, so that workers that start together give one
 * plan, and proposes the plan as long as it is not in force. Every coordinator plans, to explain
 * what is missing; only the leader proposes.
 *
 * <p>Deterministic: no thread, clock or log. What it remembers is soft; losing it costs one plan.
 * Its caller proposes what it says, and need not tell it what became of that: the next sight shows.
 */
public final class PlacementDecision {
    /** How long things must have been quiet before a plan is made. */
    static final int QUIET_MILLIS = 300;

    /** A pool that is never quiet is planned after this all the same. */
    public static final int PATIENCE_MILLIS = 1500;

    /** A plan that did not come into force is proposed again after this. */
    static final int AGAIN_MILLIS = 1000;

    /** A worker that is away is forgotten after this in a pool that is less than half full. */
    static final long FORGET_AFTER_MILLIS = 24 * 60 * 60 * 1000L;

    /** Workers forgotten at one look. */
    private static final int MOST_FORGOTTEN = 8;

    /** However full the pool is, one that is away for a moment is not forgotten. */
    static final long FORGET_AT_SOONEST_MILLIS = 60_000;

    private static final long NONE = -1;

    private final Recent recent = new Recent();
    private final PlanViews views = new PlanViews();
    private @Nullable PlanView lastSeen;
    private @Nullable PlanView lastPlanned;
    private @Nullable Plan plan;

    /** The generation that the plan was found to say as well. */
    private long agreedGeneration = NONE;

    private long plansMade;
    private final SortedMap<String, Long> goneSinceMillis = new TreeMap<>();
    private long changedAtMillis;
    private long unsettledSinceMillis;
    private long proposedAtMillis;
    private boolean proposed;

    /** What to propose to the log now, in this order; most often nothing. */
    public List<Command> decide(PoolSight sight) {
        List<WorkerPresence> workers = List.copyOf(sight.presence().values());
        recent.observe(sight, workers);
        observeGone(sight, workers);
        PlanView view = views.of(sight, workers, recent);
        List<Command> proposals = new ArrayList<>();
        if (settled(view, sight.nowMillis())) {
            Plan due = planned(view);
            if (sight.leads()) {
                adopt(sight, due, proposals);
            }
        }
        if (sight.leads()) {
            forget(sight, proposals);
        }
        return proposals;
    }

    /** Why models cannot be placed whole, a sentence by model id, as of the last plan. */
    public SortedMap<String, String> shortfalls() {
        return plan == null ? Collections.emptySortedMap() : plan.shortfalls();
    }

    /** Plans made since it began. */
    public long plansMade() {
        return plansMade;
    }

    private boolean settled(PlanView view, long now) {
        if (!view.equals(lastSeen)) {
            if (lastSeen == null || lastSeen.equals(lastPlanned)) {
                unsettledSinceMillis = now;
            }
            changedAtMillis = now;
            lastSeen = view;
        }
        return now - changedAtMillis >= QUIET_MILLIS
                || now - unsettledSinceMillis >= PATIENCE_MILLIS;
    }

    private Plan planned(PlanView view) {
        Plan due = plan;
        if (due == null || !view.equals(lastPlanned)) {
            due = Planner.plan(view);
            plan = due;
            plansMade++;
            agreedGeneration = NONE;
            lastPlanned = view;
            proposed = false;
        }
        return due;
    }

    private void adopt(PoolSight sight, Plan due, List<Command> proposals) {
        Placement current = sight.state().placement();
        boolean waits = proposed && sight.nowMillis() - proposedAtMillis < AGAIN_MILLIS;
        if (waits || inForce(due, current)) {
            return;
        }
        long parent = current.generation();
        proposals.add(
                new AdoptPlacement(
                        new Placement(parent + 1, parent, new TreeMap<>(due.assignments()))));
        proposed = true;
        proposedAtMillis = sight.nowMillis();
    }

    /** Whether the plan is the placement; looked at once for each pair. */
    private boolean inForce(Plan due, Placement current) {
        long generation = current.generation();
        if (agreedGeneration != generation && due.assignments().equals(current.assignments())) {
            agreedGeneration = generation;
        }
        return agreedGeneration == generation;
    }

    private void observeGone(PoolSight sight, List<WorkerPresence> workers) {
        goneSinceMillis
                .keySet()
                .removeIf(id -> {
                    WorkerPresence worker = sight.presence().get(id);
                    return worker == null || worker.standing() != Standing.GONE;
                });
        for (WorkerPresence worker : workers) {
            if (worker.standing() == Standing.GONE) {
                goneSinceMillis.putIfAbsent(worker.workerId(), sight.nowMillis());
            }
        }
    }

    /**
     * Of those away for long enough, the ones that are away longest. A pool that is full lets
     * nobody in, so this must keep pace with those who go, also where it never is quiet.
     */
    private void forget(PoolSight sight, List<Command> proposals) {
        long after = forgetAfterMillis(sight.state().workers().size());
        goneSinceMillis.entrySet().stream()
                .filter(gone -> sight.nowMillis() - gone.getValue() >= after)
                .filter(gone -> sight.state().workers().containsKey(gone.getKey()))
                .filter(gone -> sight.state().placement().of(gone.getKey()).isEmpty())
                .sorted(Map.Entry.comparingByValue())
                .limit(MOST_FORGOTTEN)
                .forEach(gone -> proposals.add(new ForgetWorker(gone.getKey())));
    }

    /**
     * The less room there is for newcomers, the sooner those who are away are forgotten: a pool in
     * which many come and go must not fill with those who went.
     */
    static long forgetAfterMillis(int known) {
        double room = 2.0 * (Transition.MAX_WORKERS - known) / Transition.MAX_WORKERS;
        double part = Math.clamp(room, 0, 1);
        long millis = (long) (FORGET_AFTER_MILLIS * part * part * part);
        return Math.max(FORGET_AT_SOONEST_MILLIS, millis);
    }
}
