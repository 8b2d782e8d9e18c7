package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.liveness.LeaseTable;
import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.WorkerPresence.Reach;
import coop.sahkar.coordinator.routing.MeasurePlan;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.tls.NodeName;
import coop.sahkar.proto.v1.Assignment;
import coop.sahkar.proto.v1.CoordinatorMessage;
import coop.sahkar.proto.v1.Coordinators;
import coop.sahkar.proto.v1.MeasurePeers;
import coop.sahkar.proto.v1.PeerLatencies;
import coop.sahkar.proto.v1.Reachability;
import coop.sahkar.proto.v1.RelayWish;
import coop.sahkar.proto.v1.Revocations;
import coop.sahkar.proto.v1.Welcome;
import coop.sahkar.proto.v1.WorkerHello;
import coop.sahkar.proto.v1.WorkerMessage;
import coop.sahkar.proto.v1.WorkerReport;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One worker's stream, from its hello to its end. */
final class Attachment implements StreamObserver<WorkerMessage> {
    private static final Logger LOG = LoggerFactory.getLogger(Attachment.class);

    private enum Phase {
        /** Nothing was said yet. */
        OPENED,
        /** It said hello and is being registered. */
        REGISTERING,
        /** It is let in; reports count, assignments are sent. */
        ADMITTED,
        /** The stream is over. */
        ENDED
    }

    private final WorkerDoor door;
    private final StreamObserver<CoordinatorMessage> out;
    private Phase phase = Phase.OPENED;
    private String workerId = "";
    private RelayWish wish = RelayWish.RELAY_WISH_UNSPECIFIED;
    private long lease;
    private Reach told = Reach.TESTING;
    private long admittedAtMillis;
    private final @Nullable NodeName caller;
    private SortedSet<Long> toldRevoked = new TreeSet<>();
    private @Nullable WorkerReport early;
    private @Nullable Assignment sent;
    private List<String> toldCoordinators = List.of();
    private MeasurePeers asked =
            MeasurePeers.newBuilder().setIntervalMillis(MeasurePlan.INTERVAL_MILLIS).build();

    /**
     * @param caller whose certificate was shown; null in the open
     */
    Attachment(WorkerDoor door, StreamObserver<CoordinatorMessage> out, @Nullable NodeName caller) {
        this.door = door;
        this.out = out;
        this.caller = caller;
    }

    synchronized String workerId() {
        return workerId;
    }

    @Override
    public void onNext(WorkerMessage message) {
        try {
            switch (message.getMessageCase()) {
                case HELLO -> hello(message.getHello());
                case REPORT -> report(message.getReport());
                case LEAVING -> leaving(message.getLeaving().getReason());
                case LATENCIES -> latencies(message.getLatencies());
                case MESSAGE_NOT_SET ->
                        throw new IllegalArgumentException("a worker sent an empty message");
            }
        } catch (IllegalArgumentException e) {
            refuse(Problem.of(Problem.Kind.PROTOCOL, String.valueOf(e.getMessage())));
        }
    }

    private void hello(WorkerHello hello) {
        WorkerRecord worker;
        synchronized (this) {
            if (phase != Phase.OPENED) {
                throw new IllegalArgumentException("a worker said hello twice on one stream");
            }
            Optional<Problem> strange =
                    ProtocolVersions.check(hello.getProtocol(), "worker " + shown(hello));
            if (strange.isPresent()) {
                refuse(strange.get());
                return;
            }
            if (caller != null && !caller.id().equals(hello.getWorkerId())) {
                refuse(
                        Problem.of(
                                Problem.Kind.UNAUTHORIZED,
                                "worker %s showed the certificate of %s"
                                        .formatted(shown(hello), caller)));
                return;
            }
            worker = WorkerAdapter.worker(hello, door.unixMillis());
            phase = Phase.REGISTERING;
            workerId = worker.id();
            wish = hello.getRelay();
        }
        door.register(this, worker);
    }

    /**
     * Sends a revoked worker away, and tells others who is revoked, if there is news.
     *
     * @return whether it was sent away
     */
    synchronized boolean turnedAway(SortedSet<Long> revoked) {
        if (caller != null && revoked.contains(caller.enrolment())) {
            refuse(
                    Problem.of(
                            Problem.Kind.UNAUTHORIZED,
                            "the certificate of %s is revoked".formatted(caller)));
            return true;
        }
        if (phase == Phase.ADMITTED && !revoked.equals(toldRevoked)) {
            toldRevoked = revoked;
            send(
                    CoordinatorMessage.newBuilder()
                            .setRevocations(Revocations.newBuilder().addAllEnrolments(revoked))
                            .build());
        }
        return false;
    }

    private static String shown(WorkerHello hello) {
        String id = hello.getWorkerId();
        return id.substring(0, Math.min(id.length(), Limits.MAX_WORKER_ID));
    }

    /** The worker is registered: it is welcome, and what it reported meanwhile counts. */
    synchronized void admit(String id, Welcome welcome) {
        if (phase != Phase.REGISTERING) {
            door.detached(id, this);
            return;
        }
        phase = Phase.ADMITTED;
        admittedAtMillis = door.attendance().clockMillis();
        lease = leases().attached(id, admittedAtMillis);
        toldCoordinators = List.copyOf(welcome.getCoordinatorsList());
        send(CoordinatorMessage.newBuilder().setWelcome(welcome).build());
        reach();
        if (early != null) {
            count(early);
            early = null;
        }
    }

    /** No route goes to a worker that asked to be tried before that has come to something. */
    private void reach() {
        switch (wish) {
            case RELAY_WISH_AUTO -> leases().dialled(workerId, lease, Reach.TESTING);
            case RELAY_WISH_ALWAYS -> tell(Optional.of("it asked to be relayed to"));
            case RELAY_WISH_NEVER, RELAY_WISH_UNSPECIFIED, UNRECOGNIZED -> {}
        }
    }

    /** Whether the worker's endpoint is to be tried. */
    synchronized boolean wantsDialling() {
        return phase == Phase.ADMITTED && wish == RelayWish.RELAY_WISH_AUTO;
    }

    /**
     * Its endpoint was tried, not for the first time perhaps.
     *
     * @param fault why it is not reached there; empty when it is
     */
    synchronized void dialled(Optional<String> fault) {
        if (phase == Phase.ADMITTED) {
            tell(fault);
        }
    }

    private void tell(Optional<String> fault) {
        Reach found = fault.isEmpty() ? Reach.DIRECT : Reach.UNREACHABLE;
        if (found == told) {
            return;
        }
        told = found;
        leases().dialled(workerId, lease, found);
        send(
                CoordinatorMessage.newBuilder()
                        .setReachability(
                                Reachability.newBuilder()
                                        .setReachable(fault.isEmpty())
                                        .setReason(fault.orElse("")))
                        .build());
    }

    private synchronized void report(WorkerReport report) {
        switch (phase) {
            case OPENED -> throw new IllegalArgumentException("a worker reported before its hello");
            case REGISTERING -> early = report;
            case ADMITTED -> count(report);
            case ENDED -> {}
        }
    }

    private void count(WorkerReport report) {
        List<ShardStatus> shards = WorkerAdapter.shards(report);
        boolean changed =
                leases().reported(
                                workerId,
                                lease,
                                report.getGeneration(),
                                shards,
                                door.attendance().clockMillis());
        if (changed) {
            door.sendSoon();
        }
    }

    private synchronized void latencies(PeerLatencies said) {
        if (phase == Phase.ADMITTED) {
            door.latencies()
                    .reported(workerId, Measures.read(said), door.attendance().clockMillis());
        }
    }

    private synchronized void leaving(String reason) {
        LOG.info("worker {} is leaving: {}", workerId, reason);
        if (phase == Phase.ADMITTED) {
            leases().left(workerId, lease);
        }
    }

    /** Sends an assignment unless it is what was sent last, or is better sent later. */
    synchronized void assign(Assignment assignment) {
        long since = door.attendance().clockMillis() - admittedAtMillis;
        boolean empty = assignment.getShardsCount() == 0;
        if (sent == null && FirstAssignment.waits(empty, since)) {
            return;
        }
        if (phase == Phase.ADMITTED && !assignment.equals(sent)) {
            sent = assignment;
            send(CoordinatorMessage.newBuilder().setAssignment(assignment).build());
        }
    }

    /** Says which peers to measure unless it was said last. */
    synchronized void measure(MeasurePeers measure) {
        if (phase == Phase.ADMITTED && !measure.equals(asked)) {
            asked = measure;
            send(CoordinatorMessage.newBuilder().setMeasure(measure).build());
        }
    }

    /** Says where coordinators are reached unless it was said last. */
    synchronized void coordinators(List<String> gateways) {
        if (phase == Phase.ADMITTED && !gateways.equals(toldCoordinators)) {
            toldCoordinators = gateways;
            send(
                    CoordinatorMessage.newBuilder()
                            .setCoordinators(Coordinators.newBuilder().addAllGateways(gateways))
                            .build());
        }
    }

    /** Tells the worker why it cannot stay, and ends the stream. */
    synchronized void refuse(Problem problem) {
        if (phase == Phase.ENDED) {
            return;
        }
        LOG.warn("worker {} is refused: {}", workerId, problem.message());
        send(CoordinatorMessage.newBuilder().setRefused(Wire.toWire(problem)).build());
        end();
    }

    /** Ends the stream. */
    synchronized void end() {
        if (finish()) {
            try {
                out.onCompleted();
            } catch (RuntimeException e) {
                LOG.debug("the stream of worker {} was gone already", workerId, e);
            }
        }
    }

    @Override
    public void onError(Throwable failure) {
        finish();
    }

    @Override
    public void onCompleted() {
        end();
    }

    private synchronized boolean finish() {
        if (phase == Phase.ENDED) {
            return false;
        }
        if (phase == Phase.ADMITTED) {
            leases().ended(workerId, lease, door.attendance().clockMillis());
            door.latencies().forget(workerId);
            door.detached(workerId, this);
        }
        phase = Phase.ENDED;
        return true;
    }

    private void send(CoordinatorMessage message) {
        try {
            out.onNext(message);
        } catch (RuntimeException e) {
            LOG.debug("the stream of worker {} is gone", workerId, e);
        }
    }

    private LeaseTable leases() {
        return door.attendance().leases();
    }
}
