package coop.sahkar.worker.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.FetchChunk;
import coop.sahkar.proto.v1.FetchRequest;
import coop.sahkar.proto.v1.TensorsGrpc;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorServiceTest {
    private static final int WINDOW_BYTES = 256 * 1024;

    @TempDir Path directory;

    private final Pieces.File file = Pieces.file(5, 3_000_000, 10);
    private Path path;
    private PublishedFile published;
    private Server server;
    private ManagedChannel channel;

    @BeforeEach
    void start() throws Exception {
        path = directory.resolve("published.gguf");
        Files.write(path, file.bytes());
        published = PublishedFile.open(path, Pieces.MODEL, file.pieces());
        server =
                NettyServerBuilder.forAddress(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .addService(
                                new TensorService((model, piece) ->
                                        published.find(model, piece).or(() -> endless(piece))))
                        .build()
                        .start();
        channel =
                NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                        .usePlaintext()
                        .flowControlWindow(WINDOW_BYTES)
                        .build();
    }

    @AfterEach
    void stop() throws Exception {
        channel.shutdownNow();
        server.shutdownNow().awaitTermination();
        published.close();
    }

    /** A tensor that is never all sent. */
    private static Optional<TensorCatalog.Held> endless(String piece) {
        if (!piece.equals("endless")) {
            return Optional.empty();
        }
        return Optional.of(
                new TensorCatalog.Held() {
                    @Override
                    public long bytes() {
                        return 1L << 40;
                    }

                    @Override
                    public void read(long offset, ByteBuffer destination) {
                        destination.position(destination.limit());
                    }

                    @Override
                    public void close() {}
                });
    }

    private byte[] fetch(String tensor, long offset, long length) {
        Iterator<FetchChunk> chunks =
                TensorsGrpc.newBlockingStub(channel)
                        .fetch(
                                FetchRequest.newBuilder()
                                        .setModelId(Pieces.MODEL)
                                        .setTensor(tensor)
                                        .setOffset(offset)
                                        .setLength(length)
                                        .build());
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        chunks.forEachRemaining(chunk -> {
            assertThat(chunk.getData().size()).isBetween(1, Limits.MAX_TENSOR_CHUNK_BYTES);
            all.writeBytes(chunk.getData().toByteArray());
        });
        return all.toByteArray();
    }

    private byte[] expected(int piece, int from, int to) {
        int offset = (int) file.pieces().get(piece).offset();
        return Arrays.copyOfRange(file.bytes(), offset + from, offset + to);
    }

    @Test
    void servesAWholePieceAndAnyPartOfIt() {
        assertThat(fetch("t0", 0, 0)).isEqualTo(expected(0, 0, 3_000_000));
        assertThat(fetch("t0", 2_999_000, 0)).isEqualTo(expected(0, 2_999_000, 3_000_000));
        assertThat(fetch("t1", 3, 4)).isEqualTo(expected(1, 3, 7));
        assertThat(fetch("t1", 10, 0)).isEmpty();
    }

    @Test
    void saysWhatItDoesNotHold() {
        assertThatThrownBy(() -> fetch("t9", 0, 0))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> {
                            assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
                            assertThat(e).hasMessageContaining("tensor t9 of " + Pieces.MODEL);
                        });
    }

    @Test
    void refusesRangesOutsideThePiece() {
        for (long[] range : new long[][] {{11, 0}, {5, 6}, {-1, 2}, {0, -1}, {3, Long.MAX_VALUE}}) {
            assertThatThrownBy(() -> fetch("t1", range[0], range[1]))
                    .as(Arrays.toString(range))
                    .hasMessageContaining("OUT_OF_RANGE");
        }
    }

    @Test
    void servesNothingOfAFileThatWasChanged() throws Exception {
        Files.setLastModifiedTime(path, FileTime.fromMillis(1));
        assertThatThrownBy(() -> fetch("t1", 0, 0)).hasMessageContaining("NOT_FOUND");
    }

    @Test
    void refusesFetchesBeyondItsBoundAndTakesMoreWhenThoseAreOver() throws Exception {
        List<Context.CancellableContext> open = new ArrayList<>();
        for (int i = 0; i < TensorService.MAX_FETCHES; i++) {
            Context.CancellableContext context = Context.current().withCancellation();
            open.add(context);
            context.run(() -> assertThat(slowReader().hasNext()).isTrue());
        }
        assertThatThrownBy(() -> fetch("t1", 0, 0)).hasMessageContaining("RESOURCE_EXHAUSTED");
        open.forEach(context -> context.cancel(null));
        await().untilAsserted(() -> assertThat(fetch("t1", 0, 0)).hasSize(10));
    }

    private Iterator<FetchChunk> slowReader() {
        return TensorsGrpc.newBlockingStub(channel)
                .fetch(
                        FetchRequest.newBuilder()
                                .setModelId(Pieces.MODEL)
                                .setTensor("endless")
                                .build());
    }

    @Test
    void feedsAWorkersStore() throws Exception {
        FetchPolicy policy = new FetchPolicy(2, 2000, 3, 1, 5, 50, 4);
        String address = "sahkar://127.0.0.1:" + server.getPort();
        TensorStore store = TensorStore.open(directory.resolve("store"), 1L << 30);
        StoredKey key = StoredKey.keyValues(Pieces.MODEL);
        try (PieceFetcher fetcher =
                        new PieceFetcher(
                                Pieces.MODEL,
                                Sources.open(List.of(address), policy, Transport.OPEN),
                                policy);
                StoredFile stored =
                        store.obtain(
                                key,
                                file.layout(),
                                fetcher,
                                FetchProgress.SILENT,
                                new Cancellation())) {
            assertThat(Files.readAllBytes(stored.path())).isEqualTo(file.assembled(file.layout()));
        }
    }

    @Test
    void namesANodeThatCannotBeReached() throws Exception {
        String address = "sahkar://127.0.0.1:" + server.getPort();
        server.shutdownNow().awaitTermination();
        FetchPolicy policy = new FetchPolicy(2, 2000, 2, 1, 5, 50, 4);
        TensorStore store = TensorStore.open(directory.resolve("store"), 1L << 30);
        try (PieceFetcher fetcher =
                new PieceFetcher(
                        Pieces.MODEL,
                        Sources.open(List.of(address), policy, Transport.OPEN),
                        policy)) {
            assertThatThrownBy(() ->
                            store.obtain(
                                    StoredKey.keyValues(Pieces.MODEL),
                                    file.layout(),
                                    fetcher,
                                    FetchProgress.SILENT,
                                    new Cancellation()))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining(address);
        }
    }
}
