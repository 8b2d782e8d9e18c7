package coop.sahkar.worker.store;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.FetchChunk;
import coop.sahkar.proto.v1.FetchRequest;
import coop.sahkar.proto.v1.TensorsGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.IOException;

/** A node of the pool that serves the Tensors service: {@code sahkar://host:port}. */
final class WorkerSource implements Source {
    /** How the addresses of such sources begin. */
    static final String SCHEME = "sahkar://";

    private static final int ENVELOPE_BYTES = 1024;

    private final String address;
    private final ManagedChannel channel;
    private final int stallMillis;

    WorkerSource(String address, int stallMillis, Transport transport) {
        this.address = address;
        this.stallMillis = stallMillis;
        this.channel =
                transport
                        .to(address.substring(SCHEME.length()), PeerRule.MEMBER)
                        .maxInboundMessageSize(Limits.MAX_TENSOR_CHUNK_BYTES + ENVELOPE_BYTES)
                        .build();
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public void read(String modelId, Piece piece, long from, Sink sink, Cancellation cancellation)
            throws SourceException, IOException, InterruptedException {
        if (from == piece.bytes()) {
            return;
        }
        ChunkQueue queue = new ChunkQueue();
        ClientCall<FetchRequest, FetchChunk> call =
                channel.newCall(TensorsGrpc.getFetchMethod(), CallOptions.DEFAULT);
        try {
            call.start(new Chunks(queue, piece), new Metadata());
            call.request(ChunkQueue.CAPACITY);
            call.sendMessage(
                    FetchRequest.newBuilder()
                            .setModelId(modelId)
                            .setTensor(piece.name())
                            .setOffset(from)
                            .setLength(piece.bytes() - from)
                            .build());
            call.halfClose();
            new Download(queue, () -> call.request(1), stallMillis)
                    .pump(piece.bytes() - from, sink, cancellation);
        } finally {
            call.cancel("no more is wanted", null);
        }
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }

    private static final class Chunks extends ClientCall.Listener<FetchChunk> {
        private final ChunkQueue queue;
        private final Piece piece;

        Chunks(ChunkQueue queue, Piece piece) {
            this.queue = queue;
            this.piece = piece;
        }

        @Override
        public void onMessage(FetchChunk chunk) {
            ByteString data = chunk.getData();
            queue.bytes(data.asReadOnlyByteBuffer());
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            if (status.isOk()) {
                queue.end();
            } else if (status.getCode() == Status.Code.NOT_FOUND) {
                queue.failed(
                        new SourceException(
                                SourceException.Kind.LACKS_PIECE,
                                "it does not hold " + piece.described()));
            } else {
                queue.failed(
                        new SourceException(SourceException.Kind.UNAVAILABLE, sentence(status)));
            }
        }

        private static String sentence(Status status) {
            String description = status.getDescription();
            return description == null ? status.getCode().toString() : description;
        }
    }
}
