package coop.sahkar.coordinator.routing;

import coop.sahkar.coordinator.liveness.LatencyTable;
import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.proto.Limits;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which peers each worker should measure the way to: those that could be the next stage behind one
 * of its own, and from a tail the heads. Where these are more than a worker may be asked for, half
 * are the nearest it knows, and half others that change from round to round, so that in time it
 * finds those which are near. Pure.
 */
public final class MeasurePlan {
    /** Pause between two rounds of a worker's measuring. */
    public static final int INTERVAL_MILLIS = 10_000;

    private static final int NEAREST = Limits.MAX_MEASURED_PEERS / 2;

    private final SortedMap<String, SortedMap<Integer, SortedSet<String>>> byFirst =
            new TreeMap<>();
    private final PoolState state;
    private final SortedMap<String, WorkerPresence> presence;
    private final LatencyTable latencies;
    private final long nowMillis;

    public MeasurePlan(
            PoolState state,
            SortedMap<String, WorkerPresence> presence,
            LatencyTable latencies,
            long nowMillis) {
        this.state = state;
        this.presence = presence;
        this.latencies = latencies;
        this.nowMillis = nowMillis;
        for (WorkerPresence worker : presence.values()) {
            for (ShardStatus shard : worker.shards()) {
                if (shard.serving()) {
                    byFirst.computeIfAbsent(shard.modelId(), _ -> new TreeMap<>())
                            .computeIfAbsent(shard.span().first(), _ -> new TreeSet<>())
                            .add(worker.workerId());
                }
            }
        }
    }

    /**
     * The peers of one worker, by id.
     *
     * @param round changes which of too many are measured
     */
    public List<String> peers(String workerId, long round) {
        SortedSet<String> candidates = candidates(workerId);
        if (candidates.size() <= Limits.MAX_MEASURED_PEERS) {
            return List.copyOf(candidates);
        }
        SortedMap<String, Integer> known = latencies.of(workerId, nowMillis);
        SortedSet<String> chosen = new TreeSet<>();
        chosen.addAll(
                candidates.stream()
                        .filter(id -> known.getOrDefault(id, LatencyTable.UNREACHABLE) > 0)
                        .sorted(
                                Comparator.<String>comparingInt(id -> known.getOrDefault(id, 0))
                                        .thenComparing(id -> id))
                        .limit(NEAREST)
                        .toList());
        List<String> others = new ArrayList<>(candidates);
        others.sort(
                Comparator.<String>comparingLong(id -> StagePrice.noise(workerId + id, round))
                        .thenComparing(id -> id));
        for (String other : others) {
            if (chosen.size() < Limits.MAX_MEASURED_PEERS) {
                chosen.add(other);
            }
        }
        return List.copyOf(chosen);
    }

    private SortedSet<String> candidates(String workerId) {
        SortedSet<String> candidates = new TreeSet<>();
        WorkerPresence worker = presence.get(workerId);
        if (worker == null) {
            return candidates;
        }
        for (ShardStatus shard : worker.shards()) {
            ModelRecord model = state.models().get(shard.modelId());
            if (shard.serving() && model != null) {
                boolean tail = shard.span().end() == model.manifest().blockCount();
                candidates.addAll(behind(shard.modelId(), tail ? 0 : shard.span().end()));
            }
        }
        candidates.remove(workerId);
        return candidates;
    }

    private Collection<String> behind(String modelId, int block) {
        SortedMap<Integer, SortedSet<String>> spans = byFirst.get(modelId);
        SortedSet<String> workers = spans == null ? null : spans.get(block);
        return workers == null ? List.of() : workers;
    }
}
