package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.LatencyTable;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.routing.Readiness;
import coop.sahkar.coordinator.routing.RepairLog;
import coop.sahkar.coordinator.state.ModelManifest;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.ModelCoverage;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.ReachState;
import coop.sahkar.proto.v1.WorkerStatus;
import java.util.List;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.ToLongFunction;

/** One look at everything: what is replicated and what workers report, for people. */
public final class PoolLook {
    private final String coordinatorId;
    private final String software;
    private final ReplicatedLog log;
    private final Attendance attendance;
    private final LatencyTable latencies;
    private final RepairLog repairs;
    private final Function<String, String> shortfalls;
    private final ToLongFunction<String> relayedBytes;
    private volatile IntSupplier running = () -> 0;
    private volatile IntSupplier waiting = () -> 0;

    /**
     * @param software version of this release
     * @param shortfalls why a model, by id, cannot be placed whole; empty when it can
     * @param relayedBytes what passed through this coordinator to and from a worker, by id
     */
    public PoolLook(
            String coordinatorId,
            String software,
            ReplicatedLog log,
            Attendance attendance,
            LatencyTable latencies,
            RepairLog repairs,
            Function<String, String> shortfalls,
            ToLongFunction<String> relayedBytes) {
        this.coordinatorId = coordinatorId;
        this.software = software;
        this.log = log;
        this.attendance = attendance;
        this.latencies = latencies;
        this.repairs = repairs;
        this.shortfalls = shortfalls;
        this.relayedBytes = relayedBytes;
    }

    /** Where to read how many generations run here, and how many requests wait for room. */
    public void count(IntSupplier runningNow, IntSupplier waitingNow) {
        running = runningNow;
        waiting = waitingNow;
    }

    /** The whole pool. */
    public PoolStatus status() {
        PoolState state = log.state();
        SortedMap<String, WorkerPresence> presence = attendance.now();
        PoolStatus.Builder status =
                PoolStatus.newBuilder()
                        .setCoordinatorId(coordinatorId)
                        .setLeaderId(log.leaderId())
                        .setGeneration(state.placement().generation())
                        .setRunning(running.getAsInt())
                        .setWaiting(waiting.getAsInt())
                        .setRepairs(RepairsAdapter.write(repairs.view()))
                        .setSoftware(software);
        for (WorkerRecord worker : state.workers().values()) {
            status.addWorkers(worker(state, presence, worker));
        }
        for (ModelRecord model : state.models().values()) {
            status.addModels(coverage(model, readiness(state, presence, model)));
        }
        return status.build();
    }

    /** Every model, by id. */
    public List<ModelStatus> models() {
        PoolState state = log.state();
        SortedMap<String, WorkerPresence> presence = attendance.now();
        return state.models().values().stream()
                .map(m -> model(m, readiness(state, presence, m)))
                .toList();
    }

    private Readiness readiness(
            PoolState state, SortedMap<String, WorkerPresence> presence, ModelRecord model) {
        return Readiness.of(state, model, presence, shortfalls.apply(model.id()));
    }

    private WorkerStatus worker(
            PoolState state, SortedMap<String, WorkerPresence> presence, WorkerRecord worker) {
        WorkerStatus.Builder status =
                WorkerStatus.newBuilder()
                        .setHello(WorkerAdapter.hello(worker))
                        .addAllAssigned(Assignments.shards(state, presence, worker.id()))
                        .setRelayedBytes(relayedBytes.applyAsLong(worker.id()));
        WorkerPresence here = presence.get(worker.id());
        if (here != null) {
            boolean heard = here.lastHeardMillis() > 0;
            boolean present = here.standing() == Standing.HERE;
            status.setPresent(present)
                    .setLeaving(here.standing() == Standing.LEAVING)
                    .setReach(
                            here.reports()
                                    ? WorkerAdapter.reach(here.reach())
                                    : ReachState.REACH_STATE_UNSPECIFIED)
                    .setSilentMillis(heard ? attendance.clockMillis() - here.lastHeardMillis() : 0)
                    .addAllLatencies(Measures.of(latencies, worker.id(), attendance.clockMillis()))
                    .addAllShards(here.shards().stream().map(WorkerAdapter::report).toList());
        }
        return status.build();
    }

    private static ModelCoverage coverage(ModelRecord model, Readiness readiness) {
        return ModelCoverage.newBuilder()
                .setModelId(model.id())
                .setBlockCount(model.manifest().blockCount())
                .addAllMissing(readiness.missing().stream().map(Wire::toWire).toList())
                .setExplanation(readiness.explanation())
                .build();
    }

    private static ModelStatus model(ModelRecord model, Readiness readiness) {
        ModelManifest manifest = model.manifest();
        return ModelStatus.newBuilder()
                .setModelId(model.id())
                .setName(manifest.name())
                .setArchitecture(manifest.architecture())
                .setQuantization(manifest.quantization())
                .setFileBytes(manifest.fileBytes())
                .setBlockCount(manifest.blockCount())
                .setContextLength(manifest.contextLength())
                .setReady(readiness.ready())
                .addAllMissing(readiness.missing().stream().map(Wire::toWire).toList())
                .setExplanation(readiness.explanation())
                .setPublishedAtMillis(model.publishedAtMillis())
                .addAllSources(model.sources())
                .setGoneAtMillis(model.goneAtMillis())
                .build();
    }
}
