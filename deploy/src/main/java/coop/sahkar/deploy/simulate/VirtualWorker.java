package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.state.ModelFootprint;
import coop.sahkar.worker.agent.Action;
import coop.sahkar.worker.agent.Desired;
import coop.sahkar.worker.agent.DesiredShard;
import coop.sahkar.worker.agent.ObservedShard;
import coop.sahkar.worker.agent.Reconciler;
import coop.sahkar.worker.agent.ShardPhase;
import coop.sahkar.worker.engine.LogRoom;
import coop.sahkar.worker.engine.SteppedDisk;
import coop.sahkar.worker.store.ShardKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A worker: the production reconciler over a disk that takes time. What it is doing when it is
 * stopped goes on when it is woken; what it knew when it died is gone, but for its disk.
 */
final class VirtualWorker {
    private static final int LOG_PAGE_BYTES = 256;
    private static final long SLOW_WRITE_MILLIS = 200;
    private static final long LOAD_BYTES_PER_SECOND = 2_000_000_000;
    private static final long CACHED_FETCH_MILLIS = 100;
    private static final long DRAIN_MILLIS = 30_000;
    private static final long RETRY_MILLIS = 2000;

    final String id;
    final Hardware hardware;
    private final World world;
    private final Chance chance;
    private final VirtualControl control;
    private final SortedMap<ShardKey, VirtualShard> shards = new TreeMap<>();
    private final SortedSet<ShardKey> onDisk = new TreeSet<>();
    private final RingEnd ring;
    private SteppedDisk disk;
    private long diskFreeMillis;
    private final Deque<Runnable> postponed = new ArrayDeque<>();
    private Desired desired = Desired.NOTHING;
    private boolean up;
    private boolean asleep;
    private boolean slowDisk;
    private double slowness = 1;
    private long apart;
    private Departure departure;
    private int boot;
    private long newestHeard;
    private long startedMillis;
    private boolean employed;

    VirtualWorker(String id, Hardware hardware, World world, Chance chance) {
        this.id = id;
        this.hardware = hardware;
        this.world = world;
        this.chance = chance;
        this.ring = new RingEnd(this, world.ring());
        this.disk = newDisk();
        this.departure = new Departure(this, world);
        this.control = new VirtualControl(this, world, chance);
    }

    /** What the boundary logs of its stages share. */
    LogRoom logs() {
        return disk.room();
    }

    private SteppedDisk newDisk() {
        Scenario scenario = world.scenario();
        return new SteppedDisk(
                scenario.logBytes(), scenario.logPages(), LOG_PAGE_BYTES, this::writeLater);
    }

    /** One thing after the other, as the disk's thread does. */
    private void writeLater(Runnable task) {
        long now = world.nowMillis();
        diskFreeMillis = Math.max(now, diskFreeMillis) + (slowDisk ? SLOW_WRITE_MILLIS : 1);
        later(diskFreeMillis - now, task);
    }

    /** Its disk takes nothing any more; what is on it stays. */
    void fullDisk(boolean full) {
        disk.full(full);
    }

    /** Counts what is still there. */
    void countUp() {
        world.tally().disk(disk);
        stages().forEach(stage -> world.tally().stage(stage.engine().stats()));
    }

    /** Its end of the ring. */
    RingEnd ring() {
        return ring;
    }

    /** What serves here, or still drains. */
    List<VirtualStage> stages() {
        List<VirtualStage> stages = new ArrayList<>();
        for (VirtualShard shard : shards.values()) {
            if (shard.stage != null) {
                stages.add(shard.stage);
            }
        }
        return stages;
    }

    /** What computes a shard here; null when nothing does. */
    @Nullable VirtualStage stage(ShardKey key) {
        VirtualShard shard = shards.get(key);
        return shard == null ? null : shard.stage;
    }

    /** How often it was started. */
    int boot() {
        return boot;
    }

    /** How many times as long as usual its batches take. */
    double slowness() {
        return slowness;
    }

    void slowness(double times) {
        slowness = times;
    }

    /** The partitions it is on the far side of, a bit each: others reach it if they are too. */
    long apart() {
        return apart;
    }

    void apart(long partitions) {
        apart = partitions;
    }

    /** Its ways to the coordinators. */
    VirtualControl control() {
        return control;
    }

    List<ControlPath> paths() {
        return control.paths();
    }

    Collection<VirtualShard> shards() {
        return Collections.unmodifiableCollection(shards.values());
    }

    @Nullable VirtualShard shard(ShardKey key) {
        return shards.get(key);
    }

    boolean up() {
        return up;
    }

    boolean asleep() {
        return asleep;
    }

    /** Whether sessions can run on it and a coordinator can know of it. */
    boolean takesPart() {
        return up && !asleep && control.passes();
    }

    /** Whether that may go on: it is not about to leave. */
    boolean stays() {
        return takesPart() && !leaving();
    }

    boolean leaving() {
        return departure.begun();
    }

    Desired desired() {
        return desired;
    }

    /** The newest generation it was told of since it started. */
    long newestHeard() {
        return newestHeard;
    }

    int held() {
        return postponed.size() + control.held();
    }

    void start() {
        up = true;
        boot++;
        desired = Desired.NOTHING;
        newestHeard = 0;
        employed = false;
        startedMillis = world.nowMillis();
        control.start();
    }

    /**
     * The process ends without a word.
     *
     * @param closing whether its connections are closed, as by a kill; or fall silent, as when the
     *     power fails
     */
    void crash(boolean closing) {
        boolean took = takesPart();
        control.crash(closing);
        List<VirtualShard> lost = List.copyOf(shards.values());
        up = false;
        asleep = false;
        departure = new Departure(this, world);
        boot++;
        postponed.clear();
        shards.clear();
        for (VirtualShard shard : lost) {
            if (took && shard.serving()) {
                world.coverage().count(shard.key, false);
            }
            if (shard.stage != null) {
                shard.stage.vanish();
            }
        }
        ring.clear();
        world.tally().disk(disk);
        disk = newDisk();
        diskFreeMillis = 0;
        world.ring().died(this, closing);
        world.answers().workerDied(this, closing);
    }

    /** Says that it is about to leave, and does. */
    void leave() {
        departure.begin();
        control.leaving();
        stages().forEach(VirtualStage::leave);
        reconcile();
        departure.look();
    }

    /** Whatever the pool wants from here on: it has to do without. */
    void letGo() {
        desired = new Desired(Long.MAX_VALUE, List.of());
        reconcile();
    }

    /** Its process is stopped: it answers nothing, but is not dead. */
    void sleep() {
        boolean took = takesPart();
        asleep = true;
        recount(took);
        world.ring().fellAsleep(this);
    }

    void wake() {
        asleep = false;
        recount(false);
        List<Runnable> waiting = List.copyOf(postponed);
        postponed.clear();
        waiting.forEach(this::whenAwake);
        world.ring().woke(this);
    }

    /** Whether it takes part may have changed; {@code took} says whether it did before. */
    void recount(boolean took) {
        boolean takes = takesPart();
        if (took != takes) {
            shards.values().stream()
                    .filter(VirtualShard::serving)
                    .forEach(shard -> world.coverage().count(shard.key, takes));
        }
    }

    void slowDisk(boolean slow) {
        slowDisk = slow;
    }

    void whenAwake(Runnable what) {
        if (asleep) {
            postponed.addLast(what);
        } else {
            what.run();
        }
    }

    /** Has something happen unless it is started anew meanwhile; when it is awake. */
    void later(long millis, Runnable what) {
        int now = boot;
        world.agenda()
                .after(
                        millis,
                        () -> {
                            if (boot == now) {
                                whenAwake(() -> {
                                    if (boot == now) {
                                        what.run();
                                    }
                                });
                            }
                        });
    }

    /** A coordinator says what it should hold. */
    void assign(ControlPath path, long stream, Desired next) {
        if (up && path.stream == stream && path.welcomed) {
            newestHeard = Math.max(newestHeard, next.generation());
            desired = desired.or(next);
            if (!employed && !desired.shards().isEmpty()) {
                employed = true;
                world.tally().employed(world.nowMillis() - startedMillis);
            }
            reconcile();
        }
    }

    private void reconcile() {
        List<Action> actions;
        int rounds = 0;
        do {
            List<ObservedShard> observed =
                    shards.values().stream().map(VirtualShard::observed).toList();
            Desired wanted = leaving() ? departure.served(desired) : desired;
            actions = Reconciler.next(wanted, observed, hardware.memoryBytes(), world.nowMillis());
            actions.forEach(this::carryOut);
            rounds++;
        } while (!actions.isEmpty() && rounds < 2);
        world.invariants().reconciled(this);
        if (leaving() && shards.isEmpty()) {
            departure.gone();
        }
    }

    private void carryOut(Action action) {
        switch (action) {
            case Action.Fetch(DesiredShard wish) -> fetch(wish);
            case Action.Load(ShardKey key) -> load(key);
            case Action.Serve(ShardKey key) -> serve(key);
            case Action.Drain(ShardKey key) -> drain(key);
            case Action.Drop(ShardKey key) -> drop(key);
            case Action.Fail(ShardKey key, String why) -> fail(key, why);
        }
    }

    private void fetch(DesiredShard wish) {
        ModelFootprint footprint = world.footprint(wish.key().modelId());
        long weight = footprint.weightBytes(wish.key().span());
        long memory = footprint.memoryBytes(wish.key().span(), wish.kvCells());
        double seconds =
                (double) footprint.decodeBytes(wish.key().span()) / hardware.bytesPerSecond();
        VirtualShard shard =
                new VirtualShard(
                        wish.key(), wish.kvCells(), memory, weight, 1 + (int) (seconds * 1e6));
        shards.put(wish.key(), shard);
        boolean cached = onDisk.contains(wish.key());
        long speed = hardware.fetchBytesPerSecond() / (slowDisk ? 10 : 1);
        long millis = cached ? CACHED_FETCH_MILLIS : 100 + weight * 1000 / speed;
        if (!cached && chance.happens(0.03)) {
            later(
                    millis / 2,
                    () ->
                            ifCurrent(
                                    shard,
                                    ShardPhase.FETCHING,
                                    () -> {
                                        fail(shard.key, "the fetch broke off");
                                        changed();
                                    }));
            return;
        }
        later(
                millis,
                () ->
                        ifCurrent(
                                shard,
                                ShardPhase.FETCHING,
                                () -> {
                                    if (!cached) {
                                        world.tally().fetched(weight);
                                    }
                                    onDisk.add(shard.key);
                                    shard.phase = ShardPhase.FETCHED;
                                    changed();
                                }));
    }

    private void load(ShardKey key) {
        VirtualShard shard = phase(key, ShardPhase.LOADING);
        long millis = 50 + shard.weightBytes * 1000 / LOAD_BYTES_PER_SECOND;
        later(
                millis,
                () ->
                        ifCurrent(
                                shard,
                                ShardPhase.LOADING,
                                () -> {
                                    shard.phase = ShardPhase.LOADED;
                                    changed();
                                }));
    }

    private void serve(ShardKey key) {
        VirtualShard shard = phase(key, ShardPhase.SERVING);
        shard.stage = new VirtualStage(this, shard, world);
    }

    private void drain(ShardKey key) {
        VirtualShard shard = phase(key, ShardPhase.DRAINING);
        later(
                DRAIN_MILLIS,
                () -> {
                    if (!leaving()) {
                        ifCurrent(shard, ShardPhase.DRAINING, () -> drained(shard));
                    }
                });
        if (shard.stage == null) {
            rests(shard);
        } else {
            shard.stage.drain();
        }
    }

    /** No session is left in a shard. */
    void rests(VirtualShard shard) {
        if (shard.phase == ShardPhase.DRAINING) {
            later(1, () -> ifCurrent(shard, ShardPhase.DRAINING, () -> drained(shard)));
        }
    }

    private void drained(VirtualShard shard) {
        shard.phase = ShardPhase.DRAINED;
        if (shard.stage != null) {
            shard.stage.close();
            shard.stage = null;
        }
        changed();
    }

    private void drop(ShardKey key) {
        VirtualShard shard = shards.remove(key);
        if (shard != null && shard.serving()) {
            throw new Violation(id + " drops a shard that serves: " + key.described());
        }
    }

    private void fail(ShardKey key, String why) {
        VirtualShard shard = phase(key, ShardPhase.FAILED);
        shard.retryAtMillis = world.nowMillis() + RETRY_MILLIS;
        world.trace().say(id, "fails: " + why);
        later(RETRY_MILLIS, () -> ifCurrent(shard, ShardPhase.FAILED, this::changed));
    }

    private VirtualShard phase(ShardKey key, ShardPhase phase) {
        VirtualShard shard = shards.get(key);
        if (shard == null) {
            throw new Violation(id + " is told to act on a shard it has not: " + key.described());
        }
        boolean served = shard.serving();
        shard.phase = phase;
        world.trace().say(id, phase + " " + shard.named());
        if (takesPart() && served != shard.serving()) {
            world.coverage().count(key, shard.serving());
        }
        return shard;
    }

    private void ifCurrent(VirtualShard shard, ShardPhase phase, Runnable what) {
        if (shards.get(shard.key) == shard && shard.phase == phase) {
            what.run();
        }
    }

    /** Something became true of itself: it looks what follows, and reports it at once. */
    private void changed() {
        reconcile();
        control.report();
    }
}
