package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.worker.agent.ObservedShard;
import coop.sahkar.worker.agent.ShardPhase;
import coop.sahkar.worker.engine.StageStats;
import coop.sahkar.worker.store.ShardKey;
import org.jspecify.annotations.Nullable;

/** A shard on a virtual worker. */
final class VirtualShard {
    final ShardKey key;
    final int kvCells;
    final long memoryBytes;
    final long weightBytes;

    /** What one token takes in it. */
    final int decodeMicros;

    /** What computes it while it serves or drains. */
    @Nullable VirtualStage stage;

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

    ObservedShard observed() {
        return new ObservedShard(key, kvCells, phase, memoryBytes, retryAtMillis);
    }

    ShardStatus status() {
        StageStats stats = stage == null ? null : stage.engine().stats();
        return new ShardStatus(
                key.modelId(),
                key.span(),
                reportedPhase(),
                coming() ? 0 : weightBytes,
                weightBytes,
                phase == ShardPhase.FAILED ? "the fetch broke off" : "",
                kvCells,
                stats == null ? 0 : stats.kvReserved(),
                stats == null ? 0 : stats.sessions(),
                stats == null ? 0 : stats.queuedRows(),
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
