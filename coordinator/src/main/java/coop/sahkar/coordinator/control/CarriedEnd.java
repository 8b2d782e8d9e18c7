package coop.sahkar.coordinator.control;

import com.google.protobuf.ByteString;
import coop.sahkar.coordinator.relay.RelayDesk.Connection;
import coop.sahkar.coordinator.relay.Tunnel;
import coop.sahkar.coordinator.relay.TunnelEnd;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.RelayAnswer;
import coop.sahkar.proto.v1.RelayChunk;
import coop.sahkar.proto.v1.RelayDial;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of a tunnel at a worker's Carry call. gRPC calls it one call at a time; its answers are
 * written by its tunnel, or, before there is one, by itself.
 */
final class CarriedEnd implements StreamObserver<RelayChunk>, TunnelEnd {
    private static final Logger LOG = LoggerFactory.getLogger(CarriedEnd.class);

    private final RelayService service;
    private final ServerCallStreamObserver<RelayChunk> out;
    private volatile @Nullable Tunnel tunnel;

    CarriedEnd(RelayService service, ServerCallStreamObserver<RelayChunk> out) {
        this.service = service;
        this.out = out;
    }

    /** Asks for the first message. */
    void begin() {
        out.disableAutoRequest();
        out.setOnReadyHandler(this::outReady);
        out.setOnCancelHandler(this::gone);
        out.request(1);
    }

    @Override
    public void onNext(RelayChunk chunk) {
        Tunnel joined = tunnel;
        try {
            switch (chunk.getChunkCase()) {
                case DIAL -> dial(joined, chunk.getDial());
                case ANSWER -> answer(joined, chunk.getAnswer());
                case DATA -> {
                    require(joined != null, "A relayed connection begins with dial or answer.");
                    if (joined != null) {
                        joined.received(this, chunk.getData());
                    }
                }
                case CHUNK_NOT_SET -> require(false, "A piece of a relayed connection is empty.");
            }
        } catch (StatusRuntimeException refused) {
            refuse(joined, refused);
        }
    }

    private void dial(@Nullable Tunnel joined, RelayDial dial) {
        require(joined == null, "A relayed connection is dialled once.");
        check(service.stranger(dial.getWorkerId(), dial.getToken()));
        check(service.right(dial));
        check(service.desk().connect(dial.getTargetId(), this));
    }

    private void answer(@Nullable Tunnel joined, RelayAnswer answer) {
        require(joined == null, "A relayed call is taken once.");
        check(service.stranger(answer.getWorkerId(), answer.getToken()));
        check(service.desk().answer(answer.getWorkerId(), answer.getCall(), this));
    }

    private static void require(boolean holds, String sentence) {
        check(holds ? Optional.empty() : Optional.of(Problem.of(Problem.Kind.PROTOCOL, sentence)));
    }

    private static void check(Connection connection) {
        switch (connection) {
            case Connection.Made() -> {}
            case Connection.Refused(var problem) -> throw RelayService.failure(problem);
        }
    }

    private static void check(Optional<Problem> problem) {
        problem.ifPresent(p -> {
            throw RelayService.failure(p);
        });
    }

    private void refuse(@Nullable Tunnel joined, StatusRuntimeException why) {
        LOG.info("a relayed connection is refused: {}", why.getStatus().getDescription());
        if (joined == null) {
            write(() -> out.onError(why));
        } else {
            joined.end(
                    Problem.of(
                            Problem.Kind.PROTOCOL,
                            String.valueOf(why.getStatus().getDescription())));
        }
    }

    @Override
    public void onError(Throwable failure) {
        gone();
    }

    @Override
    public void onCompleted() {
        gone();
    }

    private void gone() {
        Tunnel joined = tunnel;
        if (joined == null) {
            write(out::onCompleted);
        } else {
            joined.end(null);
        }
    }

    private void outReady() {
        Tunnel joined = tunnel;
        if (joined != null) {
            joined.ready(this);
        }
    }

    @Override
    public void joins(Tunnel joined) {
        tunnel = joined;
    }

    @Override
    public void send(ByteString data) {
        write(() -> out.onNext(RelayChunk.newBuilder().setData(data).build()));
    }

    @Override
    public boolean isReady() {
        return out.isReady();
    }

    @Override
    public void ask() {
        out.request(1);
    }

    @Override
    public void close(@Nullable Problem why) {
        write(() -> {
            if (why == null) {
                out.onCompleted();
            } else {
                out.onError(RelayService.failure(why));
            }
        });
    }

    private static void write(Runnable what) {
        try {
            what.run();
        } catch (RuntimeException e) {
            LOG.debug("one end of a relayed connection is gone", e);
        }
    }
}
