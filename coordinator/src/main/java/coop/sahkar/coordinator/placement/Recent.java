package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the reports of the last minutes say: how much was asked of each model, and which shards
 * failed where. Soft: a coordinator that starts knows nothing of it, takes every model to be asked
 * for alike, and has learnt it again after a minute.
 *
 * <p>Demand is what the workers that begin a model computed: every token of a prompt and an answer
 * passes one of them once. It is told in coarse steps, and changes only when it has changed much,
 * so that plans do not follow its noise.
 */
final class Recent {
    private static final double DEMAND_MILLIS = 60_000;

    /** Demand is shown as a power of this, and anew when it left a step by as much again. */
    private static final double STEP = 4;

    private static final long FAILURE_MILLIS = 300_000;

    /** Where a count of rows comes from. */
    private record Counter(String worker, String model, Span span) implements Comparable<Counter> {
        @Override
        public int compareTo(Counter other) {
            int byWorker = worker.compareTo(other.worker);
            int byModel = byWorker != 0 ? byWorker : model.compareTo(other.model);
            return byModel != 0 ? byModel : span.compareTo(other.span);
        }
    }

    private static final class Demand {
        double rows;
        long shown = 1;
    }

    private Map<Counter, Long> rows = new LinkedHashMap<>();
    private final SortedMap<String, Demand> demands = new TreeMap<>();
    private final SortedMap<Counter, Long> failedAtMillis = new TreeMap<>();
    private long seenAtMillis = Long.MIN_VALUE;

    /** Takes note of what the workers of a pool report at this moment. */
    void observe(PoolSight sight, List<WorkerPresence> workers) {
        long now = sight.nowMillis();
        double passed = seenAtMillis == Long.MIN_VALUE ? 0 : now - seenAtMillis;
        seenAtMillis = now;
        demands.keySet().retainAll(sight.state().models().keySet());
        demands.values().forEach(demand -> demand.rows *= Math.exp(-passed / DEMAND_MILLIS));
        Map<Counter, Long> counted = LinkedHashMap.newLinkedHashMap(rows.size());
        for (WorkerPresence worker : workers) {
            for (ShardStatus shard : worker.shards()) {
                observe(worker.workerId(), shard, counted, now);
            }
        }
        rows = counted;
        demands.values().forEach(Recent::show);
        failedAtMillis.values().removeIf(at -> now - at >= FAILURE_MILLIS);
    }

    private void observe(String worker, ShardStatus shard, Map<Counter, Long> counted, long now) {
        boolean begins = shard.serving() && shard.span().isHead();
        boolean failed = shard.phase() == ShardStatus.Phase.FAILED;
        if (!begins && !failed) {
            return;
        }
        Counter counter = new Counter(worker, shard.modelId(), shard.span());
        if (failed) {
            failedAtMillis.put(counter, now);
            return;
        }
        // What a shard had computed before it was first seen was not asked for lately.
        long before = rows.getOrDefault(counter, shard.rowsComputed());
        long more = shard.rowsComputed() - before;
        counted.put(counter, shard.rowsComputed());
        demands.computeIfAbsent(shard.modelId(), _ -> new Demand()).rows += Math.max(0, more);
    }

    private static void show(Demand demand) {
        double perSecond = Math.max(1, demand.rows * 1000 / DEMAND_MILLIS);
        if (perSecond > demand.shown * STEP || perSecond < demand.shown / STEP) {
            double steps = Math.round(Math.log(perSecond) / Math.log(STEP));
            demand.shown = Math.max(1, Math.round(Math.pow(STEP, steps)));
        }
    }

    /** Tokens per second asked of a model, roughly; at least 1. */
    long demand(String modelId) {
        Demand demand = demands.get(modelId);
        return demand == null ? 1 : demand.shown;
    }

    /** The shards that workers failed with lately, by worker. */
    SortedMap<String, List<AssignedShard>> failed() {
        SortedMap<String, List<AssignedShard>> failed = new TreeMap<>();
        for (Counter counter : failedAtMillis.keySet()) {
            failed.computeIfAbsent(counter.worker(), _ -> new ArrayList<>())
                    .add(new AssignedShard(counter.model(), counter.span(), 0));
        }
        return failed;
    }
}
