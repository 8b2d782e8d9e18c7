package coop.sahkar.deploy.cli;

import coop.sahkar.coordinator.gateway.StatusFields;
import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.deploy.terminal.Table;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.AssignedShard;
import coop.sahkar.proto.v1.ModelCoverage;
import coop.sahkar.proto.v1.PeerLatency;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.RepairStatus;
import coop.sahkar.proto.v1.RepairsStatus;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.ShardState;
import coop.sahkar.proto.v1.SpanMessage;
import coop.sahkar.proto.v1.WorkerStatus;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;

/** A pool's status as tables for people. */
final class StatusReport {
    /** Ways between workers that are shown; programs get them all. */
    private static final int MOST_LINKS = 24;

    /** Repairs that are shown. */
    private static final int MOST_REPAIRS = 10;

    private StatusReport() {}

    static String tables(PoolStatus status) {
        String leader = status.getLeaderId().isEmpty() ? "electing" : status.getLeaderId();
        StringBuilder text = new StringBuilder();
        text.append(
                "coordinator %s (%s), leader %s, placement %d, %d generations running, %d waiting\n"
                        .formatted(
                                status.getCoordinatorId(),
                                status.getSoftware(),
                                leader,
                                status.getGeneration(),
                                status.getRunning(),
                                status.getWaiting()));
        text.append('\n').append(workers(status));
        text.append('\n').append(models(status));
        text.append(resting(status)).append(links(status)).append(repairs(status));
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
            if (worker.getShardsCount() + worker.getAssignedCount() == 0) {
                row(table, worker, "-", "-", "idle");
            }
            for (AssignedShard shard : worker.getAssignedList()) {
                if (!reported(worker, shard)) {
                    String model = name(shard.getModelId());
                    row(table, worker, model, blocks(shard.getSpan()), "assigned");
                }
            }
            for (ShardReport shard : worker.getShardsList()) {
                row(table, worker, name(shard.getModelId()), blocks(shard.getSpan()), state(shard));
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

    private static boolean reported(WorkerStatus worker, AssignedShard assigned) {
        return worker.getShardsList().stream()
                .anyMatch(shard ->
                        shard.getModelId().equals(assigned.getModelId())
                                && shard.getSpan().equals(assigned.getSpan()));
    }

    private static void row(
            Table table, WorkerStatus worker, String model, String blocks, String state) {
        var hello = worker.getHello();
        table.row(
                hello.getWorkerId(),
                hello.getEndpoint(),
                Amounts.bytes(hello.getMemoryBytes()),
                hello.getThreads(),
                worker.getPresent() || worker.getLeaving() ? "now" : seen(worker),
                reached(worker),
                model,
                blocks,
                worker.getLeaving() ? "leaving" : worker.getPresent() ? state : "absent");
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

    private static String resting(PoolStatus status) {
        long kept = sum(status, ShardReport::getResting);
        long reused = sum(status, ShardReport::getRowsReused);
        return kept + reused == 0
                ? ""
                : "\nfinished chats: stages keep %d with %d positions, %d were not computed again\n"
                        .formatted(kept, sum(status, ShardReport::getRestingCells), reused);
    }

    private static String links(PoolStatus status) {
        Table table = new Table("FROM", "TO", "ONE WAY");
        int count = 0;
        for (WorkerStatus worker : status.getWorkersList()) {
            for (PeerLatency way : worker.getLatenciesList()) {
                if (++count <= MOST_LINKS) {
                    table.row(worker.getHello().getWorkerId(), way.getWorkerId(), micros(way));
                }
            }
        }
        if (count == 0) {
            return "";
        }
        String more =
                count > MOST_LINKS
                        ? "and %d more; --json has all\n".formatted(count - MOST_LINKS)
                        : "";
        return "\n" + table + more;
    }

    private static String micros(PeerLatency way) {
        return way.getMicros() == 0
                ? "not reached"
                : String.format(Locale.ROOT, "%.2f ms", way.getMicros() / 1_000.0);
    }

    private static String repairs(PoolStatus status) {
        RepairsStatus repairs = status.getRepairs();
        if (repairs.getLastCount() == 0) {
            return "";
        }
        Table table = new Table("REPAIR", "MODEL", "LOST", "STATE", "WHY");
        for (RepairStatus repair :
                repairs.getLastList().subList(0, Math.min(MOST_REPAIRS, repairs.getLastCount()))) {
            table.row(
                    Amounts.ago(repair.getAgoMillis()) + " ago",
                    name(repair.getModelId()),
                    String.join(", ", repair.getLostWorkersList()),
                    StatusFields.state(repair),
                    repair.getCause());
        }
        return """

        repairs: %d running, %d finished, %d failed
        at the workers: %d routes renewed, %d sessions taken over, %d rows computed again
        """
                        .formatted(
                                repairs.getRunning(),
                                repairs.getFinished(),
                                repairs.getFailed(),
                                sum(status, ShardReport::getRepairs),
                                sum(status, ShardReport::getReopened),
                                sum(status, ShardReport::getRowsAgain))
                + table;
    }

    private static long sum(PoolStatus status, ToLongFunction<ShardReport> what) {
        return status.getWorkersList().stream()
                .flatMap(worker -> worker.getShardsList().stream())
                .mapToLong(what)
                .sum();
    }

    private static String blocks(SpanMessage span) {
        return Amounts.blocks(new Span(span.getFirst(), span.getEnd()));
    }

    private static String state(ShardReport shard) {
        boolean partly =
                shard.getState() == ShardState.SHARD_STATE_FETCHING && shard.getBytesTotal() > 0;
        String percent =
                partly
                        ? " %d %%".formatted(100 * shard.getBytesDone() / shard.getBytesTotal())
                        : "";
        return StatusFields.state(shard) + percent;
    }

    /** People say the name; the digest only tells two of one name apart. */
    private static String name(String modelId) {
        int at = modelId.indexOf('@');
        return at < 0 ? modelId : modelId.substring(0, at);
    }
}
