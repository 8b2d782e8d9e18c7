package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.Command.ForgetWorker;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the planner's plans adopted. It looks twice a second and plans when what a plan depends on
 * has changed and then been quiet for a moment, so that workers that start together give one plan.
 * Every coordinator plans, to explain what is missing; only the leader proposes. One thread owns
 * it.
 */
public final class PlacementLoop implements AutoCloseable {
    /** How long things must have been quiet before a plan is made. */
    static final int QUIET_MILLIS = 300;

    /** A pool that is never quiet is planned after this all the same. */
    static final int PATIENCE_MILLIS = 1500;

    private static final int LOOK_MILLIS = 100;
    private static final long FORGET_AFTER_MILLIS = TimeUnit.DAYS.toMillis(1);
    private static final Logger LOG = LoggerFactory.getLogger(PlacementLoop.class);

    private final ReplicatedLog log;
    private final Attendance attendance;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("sahkar-placement").factory());

    private @Nullable PlanView lastSeen;
    private @Nullable PlanView lastPlanned;
    private boolean ledThen;
    private long changedAtMillis;
    private long unsettledSinceMillis;
    private volatile SortedMap<String, String> shortfalls = new TreeMap<>();

    public PlacementLoop(ReplicatedLog log, Attendance attendance) {
        this.log = log;
        this.attendance = attendance;
    }

    /** Begins to look. */
    public void start() {
        var _ =
                thread.scheduleWithFixedDelay(
                        this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Why models cannot be placed whole, a sentence by model id, as of the last plan. */
    public SortedMap<String, String> shortfalls() {
        return shortfalls;
    }

    private void look() {
        try {
            PoolState state = log.state();
            SortedMap<String, WorkerPresence> presence = attendance.now();
            PlanView view = PlanViews.of(state, presence);
            if (settled(view)) {
                plan(state, view);
                forget(state, presence);
            }
        } catch (LogUnavailableException e) {
            LOG.warn(
                    "a placement could not be adopted and will be tried again: {}", e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("planning failed and will be tried again", e);
        }
    }

    private boolean settled(PlanView view) {
        long now = attendance.clockMillis();
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

    private void plan(PoolState state, PlanView view) {
        boolean leads = log.leads();
        if (view.equals(lastPlanned) && leads == ledThen) {
            return;
        }
        Plan plan = Planner.plan(view);
        shortfalls = plan.shortfalls();
        if (leads && !plan.assignments().equals(view.current().assignments())) {
            adopt(state, plan);
        }
        lastPlanned = view;
        ledThen = leads;
    }

    private void adopt(PoolState state, Plan plan) {
        long parent = state.placement().generation();
        Placement next = new Placement(parent + 1, parent, new TreeMap<>(plan.assignments()));
        Optional<Refusal> refusal = log.propose(new AdoptPlacement(next));
        if (refusal.isPresent()) {
            LOG.info(
                    "placement {} was not adopted: {}", next.generation(), refusal.get().message());
        } else {
            LOG.info("placement {} is adopted: {}", next.generation(), next.assignments());
        }
    }

    private void forget(PoolState state, Map<String, WorkerPresence> presence) {
        if (!log.leads() || attendance.clockMillis() < FORGET_AFTER_MILLIS) {
            return;
        }
        presence.values().stream()
                .filter(p -> p.standing() == Standing.GONE)
                .filter(p -> state.placement().of(p.workerId()).isEmpty())
                .filter(p -> attendance.clockMillis() - p.lastHeardMillis() >= FORGET_AFTER_MILLIS)
                .findFirst()
                .ifPresent(p -> log.propose(new ForgetWorker(p.workerId())));
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
