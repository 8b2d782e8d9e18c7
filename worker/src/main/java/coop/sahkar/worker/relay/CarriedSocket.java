package coop.sahkar.worker.relay;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.RelayChunk;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A socket of this machine whose bytes a coordinator carries. Both ways wait for each other: the
 * socket is read only while the call takes more, and the call only as fast as the socket does.
 */
final class CarriedSocket implements ClientResponseObserver<RelayChunk, RelayChunk> {
    private static final Logger LOG = LoggerFactory.getLogger(CarriedSocket.class);

    private final Socket socket;
    private final ManagedChannel channel;
    private final Consumer<CarriedSocket> onEnd;
    private final Semaphore mayWrite = new Semaphore(0);
    private final AtomicBoolean ended = new AtomicBoolean();
    private @Nullable ClientCallStreamObserver<RelayChunk> call;

    CarriedSocket(Socket socket, ManagedChannel channel, Consumer<CarriedSocket> onEnd) {
        this.socket = socket;
        this.channel = channel;
        this.onEnd = onEnd;
    }

    ManagedChannel channel() {
        return channel;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<RelayChunk> started) {
        call = started;
        started.disableAutoRequestWithInitial(1);
        started.setOnReadyHandler(mayWrite::release);
    }

    /** Sends {@code first}, then what the socket gives, until it ends. */
    void pump(RelayChunk first) {
        ClientCallStreamObserver<RelayChunk> out = Objects.requireNonNull(call);
        try {
            socket.setTcpNoDelay(true);
            out.onNext(first);
            InputStream in = socket.getInputStream();
            byte[] buffer = new byte[Limits.MAX_RELAY_CHUNK_BYTES];
            while (takesMore(out)) {
                int count = in.read(buffer);
                if (count < 0) {
                    break;
                }
                out.onNext(
                        RelayChunk.newBuilder()
                                .setData(ByteString.copyFrom(buffer, 0, count))
                                .build());
            }
            if (!ended.get()) {
                out.onCompleted(); // the coordinator ends the call once the other end has it all
            }
        } catch (IOException | IllegalStateException e) {
            LOG.debug("a relayed socket broke", e);
            out.cancel("the socket broke", null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            out.cancel("the worker is closing", null);
        }
    }

    private boolean takesMore(ClientCallStreamObserver<RelayChunk> out)
            throws InterruptedException {
        while (!out.isReady() && !ended.get()) {
            mayWrite.acquire();
        }
        return !ended.get();
    }

    @Override
    public void onNext(RelayChunk chunk) {
        try {
            chunk.getData().writeTo(socket.getOutputStream());
            Objects.requireNonNull(call).request(1);
        } catch (IOException e) {
            LOG.debug("a relayed socket broke", e);
            Objects.requireNonNull(call).cancel("the socket broke", null);
        }
    }

    @Override
    public void onError(Throwable failure) {
        Status status = Status.fromThrowable(failure);
        if (status.getCode() != Status.Code.CANCELLED) {
            LOG.info("A relayed connection ended: {}", status.getDescription());
        }
        close();
    }

    @Override
    public void onCompleted() {
        close();
    }

    /** Ends it at this end. */
    void close() {
        if (ended.compareAndSet(false, true)) {
            mayWrite.release();
            CarriedSockets.closeQuietly(socket);
            channel.shutdownNow();
            onEnd.accept(this);
        }
    }
}
