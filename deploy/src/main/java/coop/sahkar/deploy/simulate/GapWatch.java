package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.LeaseTable;
import coop.sahkar.coordinator.placement.PlacementDecision;
import coop.sahkar.coordinator.placement.PoolSight;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.WorkerRecord;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Watches that no model is missed for long while there is memory for it: a gap may last as long as
 * somebody is fetching or loading what closes it, and a bound of time beyond that.
 */
final class GapWatch {
    /** Nobody may do anything about a gap for so long. */
    private static final long IDLE_MILLIS = 60_000;

    /** Memory that fragments may waste before a model must fit. */
    private static final double USABLE = 0.7;

    /** Demand fades after the last question, and a plan may follow it. */
    private static final int RESTLESS = 3;

    private static final long PLANNER_QUIET_MILLIS = 10_000;

    private final World world;
    private final SortedMap<String, Long> idleSince = new TreeMap<>();
    private final SortedMap<String, Boolean> judged = new TreeMap<>();
    private long restGeneration;

    GapWatch(World world) {
        this.world = world;
    }

    /** What happened may have set back whoever was about to close a model's gap. */
    void disturbed(String modelId) {
        idleSince.remove(modelId);
        judged.remove(modelId);
    }

    void look() {
        long now = world.nowMillis();
        List<String> gaps = world.coverage().gaps();
        idleSince.keySet().retainAll(gaps);
        judged.keySet().retainAll(gaps);
        for (String model : gaps) {
            if (beingClosed(model)) {
                disturbed(model);
                continue;
            }
            long idle = now - idleSince.computeIfAbsent(model, _ -> now);
            if (idle >= IDLE_MILLIS / 2 && !judged.containsKey(model)) {
                judged.put(model, coverable(model));
            }
            if (idle >= IDLE_MILLIS) {
                if (judged.getOrDefault(model, false) && coverable(model)) {
                    throw new Violation(
                            "%s has a gap, there is memory for it, and nobody has done anything about it for %d s"
                                    .formatted(name(model), idle / 1000));
                }
                disturbed(model);
            }
        }
    }

    private boolean beingClosed(String model) {
        for (VirtualWorker worker : world.workers()) {
            if (worker.stays()) {
                for (VirtualShard shard : worker.shards()) {
                    if (shard.key.modelId().equals(model) && shard.coming()) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /**
     * Whether a plan from scratch, for those who are really here, covers a model beside all that is
     * covered now or about to be: nobody need give up one model for another.
     */
    private boolean coverable(String model) {
        return fits(model, shortfalls());
    }

    private boolean fits(String model, SortedMap<String, String> shortfalls) {
        List<String> gaps = world.coverage().gaps();
        return !shortfalls.containsKey(model)
                && shortfalls.keySet().stream()
                        .allMatch(other -> gaps.contains(other) && !beingClosed(other));
    }

    private SortedMap<String, String> shortfalls() {
        PoolState state = world.log().newest();
        SortedMap<String, WorkerRecord> here = new TreeMap<>();
        LeaseTable leases = new LeaseTable(world.nowMillis());
        for (WorkerRecord record : state.workers().values()) {
            VirtualWorker worker = world.worker(record.id());
            if (worker != null && worker.stays()) {
                here.put(record.id(), smaller(record));
                leases.attached(record.id(), world.nowMillis());
            }
        }
        PoolState fresh =
                new PoolState(
                        state.policy(),
                        here,
                        state.models(),
                        Placement.EMPTY,
                        state.ticketKeys(),
                        List.of());
        var presence = new Attendance(() -> fresh, leases, world::nowMillis).now();
        PlacementDecision decision = new PlacementDecision();
        for (int look = 0; look < 2; look++) {
            long millis = world.nowMillis() + look * PLANNER_QUIET_MILLIS;
            var _ = decision.decide(new PoolSight(fresh, presence, new TreeSet<>(), false, millis));
        }
        return decision.shortfalls();
    }

    private static WorkerRecord smaller(WorkerRecord w) {
        return new WorkerRecord(
                w.id(),
                w.endpoint(),
                w.software(),
                w.library(),
                (long) (w.memoryBytes() * USABLE),
                w.decodeBytesPerSecond(),
                w.threads(),
                w.registeredAtMillis());
    }

    /** After the world was left alone: all has come to rest. */
    void demandRest() {
        long changes = world.log().newest().placement().generation() - restGeneration;
        if (changes > RESTLESS) {
            throw new Violation(
                    "the world has healed and the placement still changes: %d times of late"
                            .formatted(changes));
        }
    }

    /** Whether somebody still fetches or loads what closes a gap, perhaps over a slow disk. */
    boolean closing() {
        return world.coverage().gaps().stream().anyMatch(this::beingClosed);
    }

    /** After the world was left alone: everything is served that can be. */
    void demandCovered() {
        SortedMap<String, String> shortfalls = shortfalls();
        for (String model : world.coverage().gaps()) {
            if (fits(model, shortfalls)) {
                throw new Violation(
                        "the world has healed, there is memory for %s, and it still has a gap"
                                .formatted(name(model)));
            }
        }
    }

    /** From now on the placement should hardly change: whoever came back has been given a place. */
    void expectRest() {
        restGeneration = world.log().newest().placement().generation();
    }

    private static String name(String model) {
        return model.substring(0, model.indexOf('@'));
    }
}
