package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.SourceWatch;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Shows the pool to {@link PlacementDecision} and proposes what it says. One thread owns it. */
public final class PlacementLoop implements AutoCloseable {
    private static final int LOOK_MILLIS = 100;
    private static final Logger LOG = LoggerFactory.getLogger(PlacementLoop.class);

    private final ReplicatedLog log;
    private final Attendance attendance;
    private final SourceWatch sources;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("sahkar-placement").factory());

    private final PlacementDecision decision = new PlacementDecision();
    private boolean led;
    private SortedSet<String> here = new TreeSet<>();
    private volatile SortedMap<String, String> shortfalls = new TreeMap<>();

    public PlacementLoop(ReplicatedLog log, Attendance attendance, SourceWatch sources) {
        this.log = log;
        this.attendance = attendance;
        this.sources = sources;
    }

    /** Begins to look. */
    public void start() {
        sources.start();
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
            boolean leads = log.leads();
            if (leads && !led) {
                attendance.leases().awaitAnew(attendance.clockMillis());
            }
            led = leads;
            PoolState state = log.state();
            SortedMap<String, WorkerPresence> presence = attendance.now();
            watchForLosses(presence);
            PoolSight sight =
                    new PoolSight(
                            state, presence, sources.unsourced(), leads, attendance.clockMillis());
            var proposals = decision.decide(sight);
            shortfalls = decision.shortfalls();
            proposals.forEach(this::propose);
        } catch (LogUnavailableException e) {
            LOG.warn(
                    "a placement could not be adopted and will be tried again: {}", e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("planning failed and will be tried again", e);
        }
    }

    /** A plan that makes a loss good must not count on a publisher that has ended meanwhile. */
    private void watchForLosses(SortedMap<String, WorkerPresence> presence) {
        SortedSet<String> now = new TreeSet<>();
        presence.forEach((id, worker) -> {
            if (worker.standing() == Standing.HERE) {
                now.add(id);
            }
        });
        if (!now.containsAll(here)) {
            sources.lookSoon();
        }
        here = now;
    }

    private void propose(Command command) {
        Optional<Refusal> refusal = log.propose(command);
        if (command instanceof AdoptPlacement adopt) {
            long generation = adopt.placement().generation();
            refusal.ifPresentOrElse(
                    r -> LOG.info("placement {} was not adopted: {}", generation, r.message()),
                    () -> LOG.info("placement {} is adopted", generation));
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
        sources.close();
    }
}
