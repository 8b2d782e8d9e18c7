package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.agent.ObservedShard;
import coop.sahkar.worker.agent.ShardPhase;
import coop.sahkar.worker.store.ShardKey;
import java.util.LinkedHashMap;
import java.util.Map;

/** A shard on a virtual worker. */
final class VirtualShard {
    final ShardKey key;
    final int kvCells;
    final long memoryBytes;
    final long weightBytes;

    /** What one token takes in it. */
    final int decodeMicros;

    /** KV positions by the session they are reserved for. */
    final Map<SessionId, Integer> reserved = new LinkedHashMap<>();

    ShardPhase phase = ShardPhase.FETCHING;
    long retryAtMillis;

    VirtualShard(ShardKey key, int kvCells, long memoryBytes, long weightBytes, int decodeMicros) {
        this.key = key;
        this.kvCells = kvCells;
        this.memoryBytes = memoryBytes;
        this.weightBytes = weightBytes;
        this.decodeMicros = decodeMicros;
    }

    /** For the trace. */
    String named() {
        return key.modelId().substring(0, key.modelId().indexOf('@')) + " " + key.span();
    }

    boolean serving() {
        return phase == ShardPhase.SERVING;
    }

    /** Whether it is on its way to serve. */
    boolean coming() {
        return switch (phase) {
            case FETCHING, FETCHED, LOADING, LOADED -> true;
            case SERVING, DRAINING, DRAINED, FAILED -> false;
        };
    }

    int reservedPositions() {
        return reserved.values().stream().mapToInt(Integer::intValue).sum();
    }

    ObservedShard observed() {
        return new ObservedShard(key, kvCells, phase, memoryBytes, retryAtMillis);
    }

    ShardStatus status() {
        return new ShardStatus(
                key.modelId(),
                key.span(),
                reportedPhase(),
                coming() ? 0 : weightBytes,
                weightBytes,
                phase == ShardPhase.FAILED ? "the fetch broke off" : "",
                kvCells,
                reservedPositions(),
                reserved.size(),
                0,
                serving() ? decodeMicros : 0,
                0,
                ShardStatus.Pace.UNKNOWN);
    }

    private ShardStatus.Phase reportedPhase() {
        return switch (phase) {
            case FETCHING -> ShardStatus.Phase.FETCHING;
            case FETCHED, LOADING, LOADED -> ShardStatus.Phase.LOADING;
            case SERVING -> ShardStatus.Phase.SERVING;
            case DRAINING, DRAINED -> ShardStatus.Phase.DRAINING;
            case FAILED -> ShardStatus.Phase.FAILED;
        };
    }
}
