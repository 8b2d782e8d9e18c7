package coop.sahkar.coordinator.control;

import com.google.protobuf.UnsafeByteOperations;
import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.LatencyTable;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.relay.RelayTokens;
import coop.sahkar.coordinator.routing.MeasurePlan;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.tls.PeerGate;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.Assignment;
import coop.sahkar.proto.v1.CoordinatorMessage;
import coop.sahkar.proto.v1.Welcome;
import coop.sahkar.proto.v1.WorkerControlGrpc;
import coop.sahkar.proto.v1.WorkerMessage;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where workers attach. Lets them in through the log, hears their reports, and tells each what to
 * hold whenever that changes. Registrations wait for the log on virtual threads; assignments are
 * sent by one thread, however many changes call for it.
 */
public final class WorkerDoor extends WorkerControlGrpc.WorkerControlImplBase
        implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerDoor.class);

    private final String coordinatorId;
    private final Supplier<List<String>> coordinators;
    private final ReplicatedLog log;
    private final Attendance attendance;
    private final LatencyTable latencies;
    private final LongSupplier unixMillis;
    private final RelayTokens tokens;
    private final Predicate<String> placeable;
    private final DialBack dialBack;
    private final ExecutorService registrations = Executors.newVirtualThreadPerTaskExecutor();
    private final ScheduledExecutorService sender =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("sahkar-assignments").factory());
    private final AtomicBoolean sendPending = new AtomicBoolean();
    private final SortedMap<String, Attachment> admitted = new TreeMap<>();
    private long round;
    private long roundMillis;

    /**
     * @param coordinators every gateway of the pool as of now, host:port, as told to workers
     * @param latencies where what workers measure is kept
     * @param unixMillis the time that registrations are dated with
     * @param tokens prove to the relay who was let in here
     * @param transport how workers are dialled back
     * @param placeable whether a model, by id, can be placed whole, as of the last plan
     */
    public WorkerDoor(
            String coordinatorId,
            Supplier<List<String>> coordinators,
            ReplicatedLog log,
            Attendance attendance,
            LatencyTable latencies,
            LongSupplier unixMillis,
            RelayTokens tokens,
            Transport transport,
            Predicate<String> placeable) {
        this.coordinatorId = coordinatorId;
        this.coordinators = coordinators;
        this.log = log;
        this.attendance = attendance;
        this.latencies = latencies;
        this.unixMillis = unixMillis;
        this.tokens = tokens;
        this.dialBack = new DialBack(transport);
        this.placeable = placeable;
        log.onChange(this::sendSoon);
        var _ =
                sender.scheduleWithFixedDelay(
                        this::sendSoon,
                        MeasurePlan.INTERVAL_MILLIS,
                        MeasurePlan.INTERVAL_MILLIS,
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public StreamObserver<WorkerMessage> attach(StreamObserver<CoordinatorMessage> out) {
        return new Attachment(this, out, PeerGate.caller().orElse(null));
    }

    Attendance attendance() {
        return attendance;
    }

    LatencyTable latencies() {
        return latencies;
    }

    /** Registers a worker that said hello, without keeping the caller. */
    void register(Attachment attachment, WorkerRecord worker) {
        try {
            registrations.execute(() -> admit(attachment, worker));
        } catch (RejectedExecutionException e) {
            attachment.refuse(
                    Problem.of(Problem.Kind.NOT_LEADER, "this coordinator is shutting down"));
        }
    }

    long unixMillis() {
        return unixMillis.getAsLong();
    }

    private void admit(Attachment attachment, WorkerRecord worker) {
        try {
            WorkerRecord known = log.state().workers().get(worker.id());
            Optional<Refusal> refusal =
                    known != null && known.sameAs(worker)
                            ? Optional.empty()
                            : log.propose(new RegisterWorker(worker));
            if (refusal.isPresent()) {
                attachment.refuse(Problem.of(Problem.Kind.OVERLOADED, refusal.get().message()));
                return;
            }
        } catch (LogUnavailableException e) {
            attachment.refuse(
                    Problem.of(
                            Problem.Kind.NOT_LEADER,
                            "the worker cannot be registered now: " + e.getMessage()));
            return;
        }
        Attachment older;
        synchronized (admitted) {
            older = admitted.put(worker.id(), attachment);
        }
        if (older != null) {
            older.refuse(
                    Problem.of(
                            Problem.Kind.PROTOCOL,
                            ("worker %s attached again on another stream; if two run with "
                                            + "one data directory, stop one")
                                    .formatted(worker.id())));
        }
        attachment.admit(worker.id(), welcome(worker.id()));
        sendSoon();
        sendWhenHeld();
        dialBack.untilFound(
                worker.id(), worker.endpoint(), attachment::wantsDialling, attachment::dialled);
    }

    /** What is kept back from a worker at first is sent in the end. */
    private void sendWhenHeld() {
        try {
            var _ =
                    sender.schedule(
                            this::sendSoon, FirstAssignment.HELD_MILLIS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("no assignments are sent any more: the coordinator is closing");
        }
    }

    private Welcome welcome(String workerId) {
        PoolState state = log.state();
        return Welcome.newBuilder()
                .setProtocol(ProtocolVersions.ours())
                .setCoordinatorId(coordinatorId)
                .setReportIntervalMillis(state.policy().reportIntervalMillis())
                .setLeaseMillis(state.policy().leaseMillis())
                .addAllTicketKeys(Assignments.keys(state))
                .addAllCoordinators(coordinators.get())
                .setRelayToken(UnsafeByteOperations.unsafeWrap(tokens.of(workerId)))
                .build();
    }

    /** An attachment is over; its worker may have attached anew already. */
    void detached(String workerId, Attachment attachment) {
        synchronized (admitted) {
            admitted.remove(workerId, attachment);
        }
    }

    /** Has assignments compared with what was sent, and sent where they differ. */
    void sendSoon() {
        if (sendPending.compareAndSet(false, true)) {
            try {
                sender.execute(this::sendAll);
            } catch (RejectedExecutionException e) {
                LOG.debug("no assignments are sent any more: the coordinator is closing");
            }
        }
    }

    private void sendAll() {
        sendPending.set(false);
        List<Attachment> all;
        synchronized (admitted) {
            all = new ArrayList<>(admitted.values());
        }
        PoolState state = log.state();
        SortedMap<String, WorkerPresence> presence = attendance.now();
        MeasurePlan plan = new MeasurePlan(state, presence, latencies, attendance.clockMillis());
        long turn = round();
        SortedSet<Long> revoked = new TreeSet<>(state.members().revoked().keySet());
        List<String> gateways = coordinators.get();
        for (Attachment attachment : all) {
            if (attachment.turnedAway(revoked)) {
                continue;
            }
            String id = attachment.workerId();
            Assignment assignment = Assignments.of(state, presence, id);
            WorkerPresence worker = presence.get(id);
            boolean leaves = worker != null && worker.standing() == Standing.LEAVING;
            attachment.assign(leaves ? Assignments.ofLeaver(assignment, placeable) : assignment);
            attachment.coordinators(gateways);
            attachment.measure(Measures.of(state, plan.peers(id, turn)));
        }
    }

    /** Which round of measuring it is; kept by the sending thread. */
    private long round() {
        long now = attendance.clockMillis();
        if (now - roundMillis >= MeasurePlan.INTERVAL_MILLIS) {
            roundMillis = now;
            round++;
        }
        return round;
    }

    @Override
    public void close() {
        registrations.shutdownNow();
        sender.shutdownNow();
        List<Attachment> all;
        synchronized (admitted) {
            all = new ArrayList<>(admitted.values());
            admitted.clear();
        }
        all.forEach(Attachment::end);
    }
}
