package coop.sahkar.worker.store;

import com.google.protobuf.UnsafeByteOperations;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.FetchChunk;
import coop.sahkar.proto.v1.FetchRequest;
import coop.sahkar.proto.v1.TensorsGrpc;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * Serves pieces of models to workers. Sends no faster than the receiver takes, so a fetch holds one
 * chunk in memory.
 */
public final class TensorService extends TensorsGrpc.TensorsImplBase {
    /** Fetches served at the same time. */
    static final int MAX_FETCHES = 64;

    private final TensorCatalog catalog;
    private final Semaphore room = new Semaphore(MAX_FETCHES);

    public TensorService(TensorCatalog catalog) {
        this.catalog = catalog;
    }

    @Override
    public void fetch(FetchRequest request, StreamObserver<FetchChunk> observer) {
        ServerCallStreamObserver<FetchChunk> receiver =
                (ServerCallStreamObserver<FetchChunk>) observer;
        if (!room.tryAcquire()) {
            receiver.onError(
                    Status.RESOURCE_EXHAUSTED
                            .withDescription(
                                    "this node serves %d fetches already; try again in a second"
                                            .formatted(MAX_FETCHES))
                            .asRuntimeException());
            return;
        }
        Optional<TensorCatalog.Held> found =
                catalog.find(request.getModelId(), request.getTensor());
        Runnable done = Once.of(() -> release(found));
        Status refused = refusal(request, found);
        if (!refused.isOk()) {
            done.run();
            receiver.onError(refused.asRuntimeException());
            return;
        }
        new Sending(request, found.orElseThrow(), receiver, done).start();
    }

    private void release(Optional<TensorCatalog.Held> found) {
        found.ifPresent(TensorCatalog.Held::close);
        room.release();
    }

    private static Status refusal(FetchRequest request, Optional<TensorCatalog.Held> found) {
        if (found.isEmpty()) {
            String what =
                    request.getTensor().isEmpty()
                            ? "the key-value section"
                            : "tensor " + shown(request.getTensor());
            return Status.NOT_FOUND.withDescription(
                    "%s of %s is not held here; ask another of the model's sources"
                            .formatted(what, shown(request.getModelId())));
        }
        long bytes = found.get().bytes();
        long offset = request.getOffset();
        boolean inside =
                offset >= 0
                        && offset <= bytes
                        && request.getLength() >= 0
                        && request.getLength() <= bytes - offset;
        return inside
                ? Status.OK
                : Status.OUT_OF_RANGE.withDescription(
                        "%d bytes from %d on were asked for, and it has %d"
                                .formatted(request.getLength(), offset, bytes));
    }

    private static String shown(String text) {
        String start = text.length() <= 160 ? text : text.substring(0, 160) + "…";
        return start.replaceAll("\\p{Cntrl}", "?");
    }

    /** One fetch. gRPC calls it from one thread at a time. */
    private static final class Sending {
        private final TensorCatalog.Held held;
        private final ServerCallStreamObserver<FetchChunk> receiver;
        private final Runnable done;
        private final long end;
        private long next;
        private boolean over;

        Sending(
                FetchRequest request,
                TensorCatalog.Held held,
                ServerCallStreamObserver<FetchChunk> receiver,
                Runnable done) {
            this.held = held;
            this.receiver = receiver;
            this.done = done;
            this.next = request.getOffset();
            this.end = request.getLength() == 0 ? held.bytes() : next + request.getLength();
        }

        void start() {
            receiver.setOnCancelHandler(done);
            receiver.setOnCloseHandler(done);
            receiver.setOnReadyHandler(this::send);
            send();
        }

        private void send() {
            if (over) {
                return;
            }
            try {
                while (next < end && receiver.isReady() && !receiver.isCancelled()) {
                    receiver.onNext(chunk());
                }
                if (next == end) {
                    over = true;
                    receiver.onCompleted();
                }
            } catch (IOException e) {
                over = true;
                receiver.onError(
                        Status.UNAVAILABLE
                                .withDescription("reading it failed: " + e.getMessage())
                                .asRuntimeException());
            }
        }

        private FetchChunk chunk() throws IOException {
            int count = (int) Math.min(Limits.MAX_TENSOR_CHUNK_BYTES, end - next);
            ByteBuffer bytes = ByteBuffer.allocate(count);
            held.read(next, bytes);
            next += count;
            return FetchChunk.newBuilder()
                    .setData(UnsafeByteOperations.unsafeWrap(bytes.flip()))
                    .build();
        }
    }
}
