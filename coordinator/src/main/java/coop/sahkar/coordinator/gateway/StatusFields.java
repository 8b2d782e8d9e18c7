package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.v1.AssignedShard;
import coop.sahkar.proto.v1.ModelCoverage;
import coop.sahkar.proto.v1.PeerLatency;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.RepairStatus;
import coop.sahkar.proto.v1.RepairsStatus;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.SpanMessage;
import coop.sahkar.proto.v1.WorkerStatus;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A pool's status as fields for programs: what {@code GET /status} and {@code sahkar status --json}
 * print.
 */
public final class StatusFields {
    private StatusFields() {}

    /** Maps, lists, strings and numbers, in a fixed order. */
    public static Map<String, Object> of(PoolStatus status) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("coordinator", status.getCoordinatorId());
        fields.put("leader", status.getLeaderId());
        fields.put("software", status.getSoftware());
        fields.put("generation", status.getGeneration());
        fields.put("running", status.getRunning());
        fields.put("waiting", status.getWaiting());
        fields.put("workers", status.getWorkersList().stream().map(StatusFields::worker).toList());
        fields.put("models", status.getModelsList().stream().map(StatusFields::model).toList());
        fields.put("repairs", repairs(status.getRepairs()));
        return fields;
    }

    private static Map<String, Object> worker(WorkerStatus worker) {
        var hello = worker.getHello();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("id", hello.getWorkerId());
        fields.put("endpoint", hello.getEndpoint());
        fields.put("software", hello.getSoftware());
        fields.put("library", hello.getLibrary());
        fields.put("memory_bytes", hello.getMemoryBytes());
        fields.put("threads", hello.getThreads());
        fields.put("present", worker.getPresent());
        fields.put("leaving", worker.getLeaving());
        fields.put("silent_millis", worker.getSilentMillis());
        fields.put(
                "reached",
                worker.getReach().name().replace("REACH_STATE_", "").toLowerCase(Locale.ROOT));
        fields.put("relayed_bytes", worker.getRelayedBytes());
        fields.put("shards", worker.getShardsList().stream().map(StatusFields::shard).toList());
        fields.put(
                "assigned", worker.getAssignedList().stream().map(StatusFields::assigned).toList());
        Map<String, Object> ways = new LinkedHashMap<>();
        for (PeerLatency way : worker.getLatenciesList()) {
            ways.put(way.getWorkerId(), way.getMicros() == 0 ? null : way.getMicros());
        }
        fields.put("one_way_micros", ways);
        return fields;
    }

    private static Map<String, Object> shard(ShardReport shard) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("model", shard.getModelId());
        fields.put("blocks", pair(shard.getSpan()));
        fields.put("state", state(shard));
        fields.put("failure", shard.getFailure());
        fields.put("bytes_done", shard.getBytesDone());
        fields.put("bytes_total", shard.getBytesTotal());
        fields.put("kv_cells", shard.getKvCells());
        fields.put("kv_reserved", shard.getKvReserved());
        fields.put("sessions", shard.getSessions());
        fields.put("queued_rows", shard.getQueuedRows());
        fields.put("decode_micros", shard.getDecodeMicros());
        fields.put("repairs", shard.getRepairs());
        fields.put("reopened", shard.getReopened());
        fields.put("rows_again", shard.getRowsAgain());
        fields.put("resting", shard.getResting());
        fields.put("resting_cells", shard.getRestingCells());
        fields.put("rows_reused", shard.getRowsReused());
        return fields;
    }

    private static Map<String, Object> assigned(AssignedShard shard) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("model", shard.getModelId());
        fields.put("blocks", pair(shard.getSpan()));
        return fields;
    }

    private static Map<String, Object> model(ModelCoverage model) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("id", model.getModelId());
        fields.put("block_count", model.getBlockCount());
        fields.put(
                "missing_blocks", model.getMissingList().stream().map(StatusFields::pair).toList());
        fields.put("explanation", model.getExplanation());
        return fields;
    }

    private static Map<String, Object> repairs(RepairsStatus repairs) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("running", repairs.getRunning());
        fields.put("finished", repairs.getFinished());
        fields.put("failed", repairs.getFailed());
        fields.put("last", repairs.getLastList().stream().map(StatusFields::repair).toList());
        return fields;
    }

    private static Map<String, Object> repair(RepairStatus repair) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("ago_millis", repair.getAgoMillis());
        fields.put("model", repair.getModelId());
        fields.put("epoch", repair.getEpoch());
        fields.put("lost_workers", List.copyOf(repair.getLostWorkersList()));
        fields.put("state", state(repair));
        fields.put("cause", repair.getCause());
        return fields;
    }

    /** A shard's state in lower case, for example {@code serving}. */
    public static String state(ShardReport shard) {
        return shard.getState().name().replace("SHARD_STATE_", "").toLowerCase(Locale.ROOT);
    }

    /** A repair's state in lower case, for example {@code finished}. */
    public static String state(RepairStatus repair) {
        return repair.getStage().name().replace("REPAIR_STAGE_", "").toLowerCase(Locale.ROOT);
    }

    private static List<Integer> pair(SpanMessage span) {
        return List.of(span.getFirst(), span.getEnd());
    }
}
