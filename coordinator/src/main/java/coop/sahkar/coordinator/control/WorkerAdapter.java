package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.ShardStatus.Phase;
import coop.sahkar.coordinator.liveness.WorkerPresence.Reach;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.ReachState;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.ShardState;
import coop.sahkar.proto.v1.WorkerHello;
import coop.sahkar.proto.v1.WorkerReport;
import java.util.ArrayList;
import java.util.List;

/** What workers say, checked and turned into our words, and back. */
final class WorkerAdapter {
    /** Shards in one report; a worker holds a handful. */
    static final int MAX_SHARDS = 1024;

    private static final int MAX_FAILURE = 500;

    private WorkerAdapter() {}

    /**
     * @throws IllegalArgumentException in a sentence that names the field at fault
     */
    static WorkerRecord worker(WorkerHello hello, long nowMillis) {
        return new WorkerRecord(
                hello.getWorkerId(),
                hello.getEndpoint(),
                hello.getSoftware(),
                hello.getLibrary(),
                hello.getMemoryBytes(),
                hello.getDecodeBytesPerSecond(),
                hello.getThreads(),
                nowMillis,
                hello.getOwner());
    }

    static WorkerHello hello(WorkerRecord worker) {
        return WorkerHello.newBuilder()
                .setProtocol(ProtocolVersions.ours())
                .setWorkerId(worker.id())
                .setEndpoint(worker.endpoint())
                .setSoftware(worker.software())
                .setLibrary(worker.library())
                .setMemoryBytes(worker.memoryBytes())
                .setDecodeBytesPerSecond(worker.decodeBytesPerSecond())
                .setThreads(worker.threads())
                .setOwner(worker.owner())
                .build();
    }

    /**
     * @throws IllegalArgumentException in a sentence, if the report breaks a bound
     */
    static List<ShardStatus> shards(WorkerReport report) {
        if (report.getShardsCount() > MAX_SHARDS) {
            throw new IllegalArgumentException(
                    "a report lists %d shards; at most %d are taken"
                            .formatted(report.getShardsCount(), MAX_SHARDS));
        }
        List<ShardStatus> shards = new ArrayList<>(report.getShardsCount());
        for (ShardReport shard : report.getShardsList()) {
            shards.add(shard(shard));
        }
        return shards;
    }

    private static ShardStatus shard(ShardReport shard) {
        if (shard.getModelId().length() > Limits.MAX_MODEL_NAME + 65) {
            throw new IllegalArgumentException("a report names a model longer than any id");
        }
        String failure = shard.getFailure();
        return new ShardStatus(
                shard.getModelId(),
                Wire.fromWire(shard.getSpan()),
                phase(shard.getState()),
                shard.getBytesDone(),
                shard.getBytesTotal(),
                failure.substring(0, Math.min(MAX_FAILURE, failure.length())),
                atLeastZero(shard.getKvCells()),
                atLeastZero(shard.getKvReserved()),
                atLeastZero(shard.getSessions()),
                atLeastZero(shard.getQueuedRows()),
                atLeastZero(shard.getDecodeMicros()),
                shard.getRowsComputed(),
                new ShardStatus.Pace(
                        atLeastZero(shard.getLoneDecodeMicros()),
                        atLeastZero(shard.getLoneTokenMicros()),
                        atLeastZero(shard.getLoneOutsideMicros()),
                        atLeastZero(shard.getInnerHopMicros())),
                new ShardStatus.Mending(
                        shard.getRepairs(), shard.getReopened(), shard.getRowsAgain()),
                new ShardStatus.Resting(
                        atLeastZero(shard.getResting()),
                        atLeastZero(shard.getRestingCells()),
                        shard.getRowsReused()));
    }

    /** Unsigned numbers beyond the int range come out negative; nothing we count is that large. */
    private static int atLeastZero(int unsigned) {
        return unsigned < 0 ? Integer.MAX_VALUE : unsigned;
    }

    private static Phase phase(ShardState state) {
        return switch (state) {
            case SHARD_STATE_FETCHING -> Phase.FETCHING;
            case SHARD_STATE_LOADING -> Phase.LOADING;
            case SHARD_STATE_SERVING -> Phase.SERVING;
            case SHARD_STATE_DRAINING -> Phase.DRAINING;
            case SHARD_STATE_FAILED -> Phase.FAILED;
            case SHARD_STATE_UNSPECIFIED, UNRECOGNIZED ->
                    throw new IllegalArgumentException("a report names a shard without its state");
        };
    }

    static ShardReport report(ShardStatus shard) {
        return ShardReport.newBuilder()
                .setModelId(shard.modelId())
                .setSpan(Wire.toWire(shard.span()))
                .setState(state(shard.phase()))
                .setBytesDone(shard.bytesDone())
                .setBytesTotal(shard.bytesTotal())
                .setFailure(shard.failure())
                .setKvCells(shard.kvCells())
                .setKvReserved(shard.kvReserved())
                .setSessions(shard.sessions())
                .setQueuedRows(shard.queuedRows())
                .setDecodeMicros(shard.decodeMicros())
                .setRowsComputed(shard.rowsComputed())
                .setLoneDecodeMicros(shard.pace().loneDecodeMicros())
                .setLoneTokenMicros(shard.pace().loneTokenMicros())
                .setLoneOutsideMicros(shard.pace().loneOutsideMicros())
                .setInnerHopMicros(shard.pace().innerHopMicros())
                .setRepairs(shard.mending().repairs())
                .setReopened(shard.mending().reopened())
                .setRowsAgain(shard.mending().rowsAgain())
                .setResting(shard.resting().sessions())
                .setRestingCells(shard.resting().cells())
                .setRowsReused(shard.resting().rowsReused())
                .build();
    }

    static ReachState reach(Reach reach) {
        return switch (reach) {
            case DIRECT -> ReachState.REACH_STATE_DIRECT;
            case TESTING -> ReachState.REACH_STATE_TESTING;
            case RELAYED -> ReachState.REACH_STATE_RELAYED;
            case UNREACHABLE -> ReachState.REACH_STATE_UNREACHABLE;
        };
    }

    private static ShardState state(Phase phase) {
        return switch (phase) {
            case FETCHING -> ShardState.SHARD_STATE_FETCHING;
            case LOADING -> ShardState.SHARD_STATE_LOADING;
            case SERVING -> ShardState.SHARD_STATE_SERVING;
            case DRAINING -> ShardState.SHARD_STATE_DRAINING;
            case FAILED -> ShardState.SHARD_STATE_FAILED;
        };
    }
}
