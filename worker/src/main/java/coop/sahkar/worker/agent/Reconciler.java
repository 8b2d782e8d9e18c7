package coop.sahkar.worker.agent;

import coop.sahkar.worker.store.ShardKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Decides what a worker does next: what the pool wants against what is here. Goals: nothing that is
 * wanted is touched; what is no longer wanted ends its sessions first; memory lent is never
 * exceeded, so a new shard waits for an old one's memory if that is about to be free.
 *
 * <p>A function: no I/O, no clock. It is asked again after every change, and says nothing twice
 * because what it said has changed what is observed.
 */
public final class Reconciler {
    private static final long MEGABYTE = 1_000_000;

    private final Map<ShardKey, DesiredShard> desired = new TreeMap<>();
    private final Map<ShardKey, ObservedShard> observed = new TreeMap<>();
    private final long lentBytes;
    private final long nowMillis;
    private long freeBytes;

    private Reconciler(
            Desired desired, List<ObservedShard> observed, long lentBytes, long nowMillis) {
        desired.shards().forEach(shard -> this.desired.putIfAbsent(shard.key(), shard));
        observed.forEach(shard -> this.observed.put(shard.key(), shard));
        this.lentBytes = lentBytes;
        this.nowMillis = nowMillis;
        this.freeBytes =
                lentBytes
                        - observed.stream()
                                .filter(ObservedShard::inMemory)
                                .mapToLong(ObservedShard::memoryBytes)
                                .sum();
    }

    /**
     * What to do now, in this order.
     *
     * @param lentBytes memory the donor lends
     */
    public static List<Action> next(
            Desired desired, List<ObservedShard> observed, long lentBytes, long nowMillis) {
        return new Reconciler(desired, observed, lentBytes, nowMillis).actions();
    }

    private List<Action> actions() {
        List<Action> actions = new ArrayList<>();
        for (ObservedShard shard : observed.values()) {
            if (wanted(shard)) {
                advance(shard, actions);
            } else {
                retire(shard, actions);
            }
        }
        for (DesiredShard shard : desired.values()) {
            if (!observed.containsKey(shard.key())) {
                actions.add(new Action.Fetch(shard));
            }
        }
        return actions;
    }

    private boolean wanted(ObservedShard shard) {
        DesiredShard wish = desired.get(shard.key());
        return wish != null && wish.kvCells() == shard.kvCells();
    }

    private void advance(ObservedShard shard, List<Action> actions) {
        switch (shard.phase()) {
            case FETCHING, LOADING, SERVING -> {}
            case FETCHED -> load(shard, actions);
            case LOADED -> actions.add(new Action.Serve(shard.key()));
            // It was given up and is wanted again: what is draining cannot be called back.
            case DRAINING -> {}
            case DRAINED -> actions.add(new Action.Drop(shard.key()));
            case FAILED -> {
                if (nowMillis >= shard.retryAtMillis()) {
                    actions.add(new Action.Drop(shard.key()));
                    DesiredShard wish = desired.get(shard.key());
                    if (wish != null) {
                        actions.add(new Action.Fetch(wish));
                    }
                }
            }
        }
    }

    private static void retire(ObservedShard shard, List<Action> actions) {
        switch (shard.phase()) {
            case SERVING -> actions.add(new Action.Drain(shard.key()));
            case DRAINING, LOADING -> {}
            case FETCHING, FETCHED, LOADED, DRAINED, FAILED ->
                    actions.add(new Action.Drop(shard.key()));
        }
    }

    private void load(ObservedShard shard, List<Action> actions) {
        if (shard.memoryBytes() <= freeBytes) {
            freeBytes -= shard.memoryBytes();
            actions.add(new Action.Load(shard.key()));
        } else if (shard.memoryBytes() > freeBytes + leavingBytes()) {
            actions.add(new Action.Fail(shard.key(), tooLittle(shard)));
        }
    }

    /** Memory of shards that are in it and not wanted. */
    private long leavingBytes() {
        return observed.values().stream()
                .filter(shard -> shard.inMemory() && leaving(shard))
                .mapToLong(ObservedShard::memoryBytes)
                .sum();
    }

    private boolean leaving(ObservedShard shard) {
        return !wanted(shard)
                || shard.phase() == ShardPhase.DRAINING
                || shard.phase() == ShardPhase.DRAINED;
    }

    private String tooLittle(ObservedShard shard) {
        return tooLittle(shard.key(), shard.memoryBytes(), freeBytes, lentBytes);
    }

    /** Says that a shard does not fit. */
    static String tooLittle(ShardKey key, long needed, long free, long lent) {
        return "%s: needs %d MB of memory, %d MB lent, %d MB of them free; lend more or wait for"
                        .formatted(
                                key.described(),
                                Math.ceilDiv(needed, MEGABYTE),
                                lent / MEGABYTE,
                                Math.max(0, free) / MEGABYTE)
                + " another placement";
    }
}
