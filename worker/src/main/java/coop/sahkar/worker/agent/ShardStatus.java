package coop.sahkar.worker.agent;

import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.ShardState;
import coop.sahkar.worker.engine.StageStats;
import coop.sahkar.worker.store.ShardKey;
import org.jspecify.annotations.Nullable;

/**
 * A shard on this worker, for reports and for people.
 *
 * @param key model and blocks
 * @param phase how far it is
 * @param bytesDone bytes that are here and checked
 * @param bytesTotal bytes there will be; 0 while that is not known
 * @param failure why it failed, in a sentence; empty otherwise
 * @param stats how it fares; null unless it is in memory
 */
public record ShardStatus(
        ShardKey key,
        ShardPhase phase,
        long bytesDone,
        long bytesTotal,
        String failure,
        @Nullable StageStats stats) {

    ShardReport report() {
        ShardReport.Builder report =
                ShardReport.newBuilder()
                        .setModelId(key.modelId())
                        .setSpan(Wire.toWire(key.span()))
                        .setState(state())
                        .setBytesDone(bytesDone)
                        .setBytesTotal(bytesTotal)
                        .setFailure(failure);
        if (stats != null) {
            report.setKvCells(stats.kvCells())
                    .setKvReserved(stats.kvReserved())
                    .setSessions(stats.sessions())
                    .setQueuedRows(stats.queuedRows())
                    .setDecodeMicros(stats.decodeMicros())
                    .setRowsComputed(stats.rowsComputed())
                    .setLoneDecodeMicros(stats.loneDecodeMicros())
                    .setLoneTokenMicros(stats.loneTokenMicros())
                    .setLoneOutsideMicros(stats.loneOutsideMicros())
                    .setInnerHopMicros(stats.hopMicrosP50())
                    .setRepairs(stats.repairs())
                    .setReopened(stats.reopened())
                    .setRowsAgain(stats.rowsAgain())
                    .setResting(stats.resting())
                    .setRestingCells(stats.restingCells())
                    .setRowsReused(stats.rowsReused());
        }
        return report.build();
    }

    private ShardState state() {
        return switch (phase) {
            case FETCHING -> ShardState.SHARD_STATE_FETCHING;
            case FETCHED, LOADING, LOADED -> ShardState.SHARD_STATE_LOADING;
            case SERVING -> ShardState.SHARD_STATE_SERVING;
            case DRAINING, DRAINED -> ShardState.SHARD_STATE_DRAINING;
            case FAILED -> ShardState.SHARD_STATE_FAILED;
        };
    }
}
