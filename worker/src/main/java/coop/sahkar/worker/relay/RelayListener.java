package coop.sahkar.worker.relay;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.v1.RelayAnswer;
import coop.sahkar.proto.v1.RelayAttachRequest;
import coop.sahkar.proto.v1.RelayCall;
import coop.sahkar.proto.v1.RelayChunk;
import coop.sahkar.proto.v1.RelayGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears from one coordinator who calls this worker, and takes each call by connecting it with the
 * worker's own port. Comes back by itself until it is closed. State belongs to its thread.
 */
final class RelayListener {
    private static final Logger LOG = LoggerFactory.getLogger(RelayListener.class);
    private static final long FIRST_WAIT_MILLIS = 200;
    private static final long MAX_WAIT_MILLIS = 10_000;
    private static final int CONNECT_MILLIS = 2_000;

    private final String workerId;
    private final String coordinator;
    private final InetSocketAddress own;
    private final Supplier<ByteString> token;
    private final CarriedSockets sockets;
    private final ScheduledExecutorService thread;
    private final ManagedChannel channel;
    private long waitMillis = FIRST_WAIT_MILLIS;
    private @Nullable Future<?> retry;
    private volatile boolean closed;

    RelayListener(
            String workerId,
            String coordinator,
            InetSocketAddress own,
            Supplier<ByteString> token,
            CarriedSockets sockets,
            ScheduledExecutorService thread) {
        this.workerId = workerId;
        this.coordinator = coordinator;
        this.own = own;
        this.token = token;
        this.sockets = sockets;
        this.thread = thread;
        this.channel = sockets.channel(coordinator);
    }

    void start() {
        thread.execute(this::attach);
    }

    /** Asks at once if it was about to ask later: the coordinator is there. */
    void again() {
        thread.execute(() -> {
            if (retry != null && retry.cancel(false)) {
                attach();
            }
        });
    }

    private void attach() {
        retry = null;
        if (!closed) {
            RelayGrpc.newStub(channel)
                    .attach(
                            RelayAttachRequest.newBuilder()
                                    .setWorkerId(workerId)
                                    .setToken(token.get())
                                    .build(),
                            new Calls());
        }
    }

    private void lost(Status why) {
        if (closed) {
            return;
        }
        LOG.info("{} relays no more: {}; asking again", coordinator, why.getDescription());
        try {
            retry = thread.schedule(this::attach, waitMillis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the worker is closing");
        }
        waitMillis = Math.min(MAX_WAIT_MILLIS, waitMillis * 2);
    }

    private void take(long call) {
        waitMillis = FIRST_WAIT_MILLIS;
        Thread.ofVirtual().name("relay-answer").start(() -> answer(call));
    }

    private void answer(long call) {
        Socket socket = new Socket();
        try {
            socket.connect(own, CONNECT_MILLIS);
        } catch (IOException e) {
            LOG.warn("a relayed call did not reach this worker's own port: {}", e.getMessage());
            return; // the coordinator ends a call that is not taken
        }
        RelayAnswer.Builder answer =
                RelayAnswer.newBuilder().setWorkerId(workerId).setToken(token.get()).setCall(call);
        sockets.carry(socket, coordinator, RelayChunk.newBuilder().setAnswer(answer).build());
    }

    /** Connections that stand go on. */
    void close() {
        closed = true;
        channel.shutdownNow();
    }

    /** What the coordinator says. Each is handed to the thread. */
    private final class Calls implements ClientResponseObserver<RelayAttachRequest, RelayCall> {
        private @Nullable ClientCallStreamObserver<RelayAttachRequest> stream;

        @Override
        public void beforeStart(ClientCallStreamObserver<RelayAttachRequest> started) {
            started.disableAutoRequestWithInitial(1);
            stream = started;
        }

        @Override
        public void onNext(RelayCall call) {
            run(() -> take(call.getCall()));
            if (stream != null) {
                stream.request(1);
            }
        }

        @Override
        public void onError(Throwable failure) {
            run(() -> lost(Status.fromThrowable(failure)));
        }

        @Override
        public void onCompleted() {
            run(() -> lost(Status.UNAVAILABLE.withDescription("it ended the line")));
        }

        private void run(Runnable task) {
            try {
                thread.execute(task);
            } catch (RejectedExecutionException e) {
                LOG.debug("the worker is closing");
            }
        }
    }
}
