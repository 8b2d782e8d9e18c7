package coop.sahkar.coordinator.control;

import com.google.protobuf.ByteString;
import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.relay.RelayDesk;
import coop.sahkar.coordinator.relay.RelayRules;
import coop.sahkar.coordinator.relay.RelayTokens;
import coop.sahkar.coordinator.state.PoolView;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.v1.RelayAttachRequest;
import coop.sahkar.proto.v1.RelayCall;
import coop.sahkar.proto.v1.RelayChunk;
import coop.sahkar.proto.v1.RelayDial;
import coop.sahkar.proto.v1.RelayGrpc;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The relay's gRPC service: checks who calls and with what right, then leaves it to the desk. */
public final class RelayService extends RelayGrpc.RelayImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(RelayService.class);

    private final RelayDesk desk;
    private final RelayTokens tokens;
    private final Attendance attendance;
    private final PoolView pool;
    private final LongSupplier unixMillis;

    /**
     * @param unixMillis the time that tickets expire by
     */
    public RelayService(
            RelayDesk desk,
            RelayTokens tokens,
            Attendance attendance,
            PoolView pool,
            LongSupplier unixMillis) {
        this.desk = desk;
        this.tokens = tokens;
        this.attendance = attendance;
        this.pool = pool;
        this.unixMillis = unixMillis;
    }

    RelayDesk desk() {
        return desk;
    }

    @Override
    public void attach(RelayAttachRequest request, StreamObserver<RelayCall> out) {
        ServerCallStreamObserver<RelayCall> stream = (ServerCallStreamObserver<RelayCall>) out;
        String workerId = request.getWorkerId();
        Calls calls = new Calls(stream);
        stream.setOnCancelHandler(() -> desk.detach(workerId, calls));
        Optional<Problem> refused =
                stranger(workerId, request.getToken()).or(() -> desk.attach(workerId, calls));
        refused.ifPresent(problem -> stream.onError(failure(problem)));
        if (refused.isEmpty() && stream.isCancelled()) {
            desk.detach(workerId, calls);
        }
    }

    @Override
    public StreamObserver<RelayChunk> carry(StreamObserver<RelayChunk> out) {
        CarriedEnd end = new CarriedEnd(this, (ServerCallStreamObserver<RelayChunk>) out);
        end.begin();
        return end;
    }

    /** Why the relay does not know a caller; empty for a worker that is attached here. */
    Optional<Problem> stranger(String workerId, ByteString token) {
        boolean known =
                !workerId.isEmpty()
                        && workerId.length() <= Limits.MAX_WORKER_ID
                        && tokens.proves(workerId, token.toByteArray())
                        && attendance.leases().isAttached(workerId);
        return known
                ? Optional.empty()
                : Optional.of(
                        Problem.of(
                                Problem.Kind.UNAUTHORIZED,
                                "The relay serves workers that are attached to this coordinator;"
                                        + " attach, and use the token of its welcome."));
    }

    /** Why a caller, known here, has no right to the one it dials; empty when it has. */
    Optional<Problem> right(RelayDial dial) {
        String caller = dial.getWorkerId();
        String target = dial.getTargetId();
        if (!dial.hasTicket()) {
            boolean fetches =
                    Assignments.namesRelayed(pool.state(), attendance.now(), caller, target);
            return RelayRules.callWithoutTicket(caller, target, fetches);
        }
        return switch (Tickets.open(
                dial.getTicket(), pool.state()::ticketKey, unixMillis.getAsLong())) {
            case Tickets.Valid(var sealed) -> RelayRules.call(caller, target, sealed.ticket());
            case Tickets.Expired(_, var problem) -> Optional.of(problem);
            case Tickets.Refused(var problem) -> Optional.of(problem);
        };
    }

    /** A problem as the status of a call. */
    static StatusRuntimeException failure(Problem problem) {
        Status status =
                switch (problem.kind()) {
                    case UNAUTHORIZED -> Status.PERMISSION_DENIED;
                    case PROTOCOL, INVALID_REQUEST -> Status.INVALID_ARGUMENT;
                    case OVERLOADED, RATE_LIMITED -> Status.RESOURCE_EXHAUSTED;
                    case CANCELLED -> Status.CANCELLED;
                    case MODEL_NOT_FOUND,
                            CONTEXT_LENGTH_EXCEEDED,
                            MODEL_INCOMPLETE,
                            WORKER_LOST,
                            DEADLINE_EXCEEDED,
                            NOT_LEADER,
                            INTERNAL ->
                            Status.UNAVAILABLE;
                };
        return status.withDescription(problem.message()).asRuntimeException();
    }

    /** Announces calls to one worker. */
    private record Calls(ServerCallStreamObserver<RelayCall> stream) implements RelayDesk.Line {
        @Override
        public void announce(long call) {
            tell(() -> stream.onNext(RelayCall.newBuilder().setCall(call).build()));
        }

        @Override
        public void close(Problem why) {
            tell(() -> stream.onError(failure(why)));
        }

        private void tell(Runnable what) {
            synchronized (stream) {
                try {
                    what.run();
                } catch (RuntimeException e) {
                    LOG.debug("a relayed worker is gone", e);
                }
            }
        }
    }
}
