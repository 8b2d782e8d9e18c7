package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.Command.ForgetWorker;
import coop.sahkar.coordinator.state.Placement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
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
    static final int PATIENCE_MILLIS = 1500;

    /** A plan that did not come into force is proposed again after this. */
    static final int AGAIN_MILLIS = 1000;

    private static final long FORGET_AFTER_MILLIS = 24 * 60 * 60 * 1000L;

    private final Recent recent = new Recent();
    private @Nullable PlanView lastSeen;
    private @Nullable PlanView lastPlanned;
    private @Nullable Plan plan;
    private long changedAtMillis;
    private long unsettledSinceMillis;
    private long proposedAtMillis;
    private boolean proposed;

    /** What to propose to the log now, in this order; most often nothing. */
    public List<Command> decide(PoolSight sight) {
        recent.observe(sight);
        PlanView view = PlanViews.of(sight, recent);
        List<Command> proposals = new ArrayList<>();
        if (settled(view, sight.nowMillis())) {
            Plan due = planned(view);
            if (sight.leads()) {
                adopt(sight, due, proposals);
                forget(sight, proposals);
            }
        }
        return proposals;
    }

    /** Why models cannot be placed whole, a sentence by model id, as of the last plan. */
    public SortedMap<String, String> shortfalls() {
        return plan == null ? Collections.emptySortedMap() : plan.shortfalls();
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
            lastPlanned = view;
            proposed = false;
        }
        return due;
    }

    private void adopt(PoolSight sight, Plan due, List<Command> proposals) {
        Placement current = sight.state().placement();
        boolean waits = proposed && sight.nowMillis() - proposedAtMillis < AGAIN_MILLIS;
        if (waits || due.assignments().equals(current.assignments())) {
            return;
        }
        long parent = current.generation();
        proposals.add(
                new AdoptPlacement(
                        new Placement(parent + 1, parent, new TreeMap<>(due.assignments()))));
        proposed = true;
        proposedAtMillis = sight.nowMillis();
    }

    private static void forget(PoolSight sight, List<Command> proposals) {
        if (sight.nowMillis() < FORGET_AFTER_MILLIS) {
            return;
        }
        sight.presence().values().stream()
                .filter(p -> p.standing() == Standing.GONE)
                .filter(p -> sight.state().placement().of(p.workerId()).isEmpty())
                .filter(p -> sight.nowMillis() - p.lastHeardMillis() >= FORGET_AFTER_MILLIS)
                .findFirst()
                .ifPresent(p -> proposals.add(new ForgetWorker(p.workerId())));
    }
}
