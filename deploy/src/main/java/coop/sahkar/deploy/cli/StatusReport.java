package coop.sahkar.deploy.cli;

import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.deploy.terminal.Table;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.ModelCoverage;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.SpanMessage;
import coop.sahkar.proto.v1.WorkerStatus;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A pool's status as tables for people and as fields for programs. */
final class StatusReport {
    private StatusReport() {}

    static String tables(PoolStatus status) {
        String leader = status.getLeaderId().isEmpty() ? "electing" : status.getLeaderId();
        StringBuilder text = new StringBuilder();
        text.append(
                "coordinator %s (%s), leader %s, placement %d, %d generations running\n"
                        .formatted(
                                status.getCoordinatorId(),
                                status.getSoftware(),
                                leader,
                                status.getGeneration(),
                                status.getRunning()));
        text.append('\n').append(workers(status));
        text.append('\n').append(models(status));
        return text.toString();
    }

    private static String workers(PoolStatus status) {
        if (status.getWorkersCount() == 0) {
            return "No workers yet; start one with 'sahkar worker'.\n";
        }
        Table table =
                new Table(
                        "WORKER", "AT", "MEMORY", "THREADS", "SEEN", "REACHED", "MODEL", "BLOCKS",
                        "STATE");
        StringBuilder failures = new StringBuilder();
        for (WorkerStatus worker : status.getWorkersList()) {
            if (worker.getShardsCount() == 0) {
                row(table, worker, "-", "-", "idle");
            }
            for (ShardReport shard : worker.getShardsList()) {
                row(table, worker, name(shard.getModelId()), blocks(shard), state(shard));
                if (!shard.getFailure().isEmpty()) {
                    failures.append(
                            "%s: %s\n"
                                    .formatted(
                                            worker.getHello().getWorkerId(), shard.getFailure()));
                }
            }
        }
        return table + failures.toString();
    }

    private static void row(
            Table table, WorkerStatus worker, String model, String blocks, String state) {
        var hello = worker.getHello();
        table.row(
                hello.getWorkerId(),
                hello.getEndpoint(),
                Amounts.bytes(hello.getMemoryBytes()),
                hello.getThreads(),
                worker.getPresent() ? "now" : seen(worker),
                reached(worker),
                model,
                blocks,
                worker.getPresent() ? state : "absent");
    }

    private static String reached(WorkerStatus worker) {
        return switch (worker.getReach()) {
            case REACH_STATE_DIRECT -> "directly";
            case REACH_STATE_TESTING -> "being tried";
            case REACH_STATE_RELAYED -> "relay, " + Amounts.bytes(worker.getRelayedBytes());
            case REACH_STATE_UNREACHABLE -> "not";
            case REACH_STATE_UNSPECIFIED, UNRECOGNIZED -> "-";
        };
    }

    private static String seen(WorkerStatus worker) {
        return worker.getSilentMillis() == 0
                ? "not since start"
                : Amounts.ago(worker.getSilentMillis()) + " ago";
    }

    private static String models(PoolStatus status) {
        if (status.getModelsCount() == 0) {
            return "No models yet; publish one with 'sahkar publish FILE.gguf'.\n";
        }
        Table table = new Table("MODEL", "BLOCKS", "MISSING", "STATE");
        StringBuilder why = new StringBuilder();
        for (ModelCoverage model : status.getModelsList()) {
            List<Span> missing =
                    model.getMissingList().stream()
                            .map(span -> new Span(span.getFirst(), span.getEnd()))
                            .toList();
            boolean ready = missing.isEmpty() && model.getExplanation().isEmpty();
            table.row(
                    name(model.getModelId()),
                    model.getBlockCount(),
                    Amounts.blocks(missing),
                    ready ? "ready" : "not ready");
            if (!model.getExplanation().isEmpty()) {
                why.append(name(model.getModelId()))
                        .append(": ")
                        .append(model.getExplanation())
                        .append('\n');
            }
        }
        return table + (why.isEmpty() ? "" : "\n" + why);
    }

    static Map<String, Object> fields(PoolStatus status) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("coordinator", status.getCoordinatorId());
        fields.put("leader", status.getLeaderId());
        fields.put("software", status.getSoftware());
        fields.put("generation", status.getGeneration());
        fields.put("running", status.getRunning());
        fields.put("workers", status.getWorkersList().stream().map(StatusReport::worker).toList());
        fields.put("models", status.getModelsList().stream().map(StatusReport::model).toList());
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
        fields.put("silent_millis", worker.getSilentMillis());
        fields.put("reached", reach(worker));
        fields.put("relayed_bytes", worker.getRelayedBytes());
        fields.put("shards", worker.getShardsList().stream().map(StatusReport::shard).toList());
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
        fields.put("decode_micros", shard.getDecodeMicros());
        return fields;
    }

    private static Map<String, Object> model(ModelCoverage model) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("id", model.getModelId());
        fields.put("block_count", model.getBlockCount());
        fields.put(
                "missing_blocks", model.getMissingList().stream().map(StatusReport::pair).toList());
        fields.put("explanation", model.getExplanation());
        return fields;
    }

    private static List<Integer> pair(SpanMessage span) {
        return List.of(span.getFirst(), span.getEnd());
    }

    private static String blocks(ShardReport shard) {
        return Amounts.blocks(new Span(shard.getSpan().getFirst(), shard.getSpan().getEnd()));
    }

    private static String reach(WorkerStatus worker) {
        return worker.getReach().name().replace("REACH_STATE_", "").toLowerCase(Locale.ROOT);
    }

    private static String state(ShardReport shard) {
        return shard.getState().name().replace("SHARD_STATE_", "").toLowerCase(Locale.ROOT);
    }

    /** People say the name; the digest only tells two of one name apart. */
    private static String name(String modelId) {
        int at = modelId.indexOf('@');
        return at < 0 ? modelId : modelId.substring(0, at);
    }
}
