package coop.sahkar.worker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import coop.sahkar.proto.PoolClock;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.worker.engine.LogRoom;
import coop.sahkar.worker.gguf.Architecture;
import coop.sahkar.worker.gguf.GgufFile;
import coop.sahkar.worker.gguf.ManifestBuilder;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.TensorType;
import coop.sahkar.worker.gguf.synthetic.RandomModel;
import coop.sahkar.worker.head.HeadHost;
import coop.sahkar.worker.head.Rerouting;
import coop.sahkar.worker.relay.ReachedSources;
import coop.sahkar.worker.ring.RingOptions;
import coop.sahkar.worker.ring.SessionDirectory;
import coop.sahkar.worker.store.FetchPolicy;
import coop.sahkar.worker.store.ShardKey;
import coop.sahkar.worker.store.ShardStore;
import coop.sahkar.worker.store.StoreException;
import coop.sahkar.worker.store.TensorStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardHostTest {
    private static final int CELLS = 512;

    @TempDir Path directory;

    private final AtomicLong now = new AtomicLong(1_000_000);
    private final AtomicInteger changes = new AtomicInteger();
    private final HostedHeads heads = new HostedHeads();
    private final IdleLoader loader = new IdleLoader();
    private final SessionDirectory directoryOfSessions =
            new SessionDirectory(RingOptions.defaults("w"), _ -> null, PoolClock.of(now::get));
    private volatile boolean noManifest;
    private HttpServer web;
    private ModelManifest manifest;
    private ShardHost host;

    @BeforeEach
    void start() throws Exception {
        Path path = directory.resolve("model.gguf");
        RandomModel.small(Architecture.LLAMA, TensorType.Q8_0, 4).write(path, Progress.NONE);
        try (GgufFile file = GgufFile.open(path)) {
            manifest = ManifestBuilder.build(file, "random", 2, Progress.NONE);
        }
        web = serve(Files.readAllBytes(path));
        host = host(1L << 30);
    }

    @AfterEach
    void stop() {
        host.close();
        web.stop(0);
    }

    private static HttpServer serve(byte[] file) throws IOException {
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(
                "/model.gguf",
                exchange -> {
                    String[] range =
                            exchange.getRequestHeaders()
                                    .getFirst("Range")
                                    .substring(6)
                                    .split("-", 2);
                    int from = Integer.parseInt(range[0]);
                    int to = Integer.parseInt(range[1]) + 1;
                    exchange.getResponseHeaders()
                            .set("Content-Range", "bytes %d-%d/*".formatted(from, to - 1));
                    try (exchange) {
                        exchange.sendResponseHeaders(206, to - from);
                        exchange.getResponseBody().write(file, from, to - from);
                    }
                });
        server.start();
        return server;
    }

    private ShardHost host(long lentBytes) throws IOException {
        HostOptions options = new HostOptions(lentBytes, 1, 4, 0, 1000, new Backoff(1000, 1000));
        ShardStore store =
                new ShardStore(
                        TensorStore.open(directory.resolve("store"), 1L << 30),
                        FetchPolicy.DEFAULT,
                        Transport.OPEN);
        ShardHost made =
                new ShardHost(
                        options,
                        new HostPorts(
                                loader,
                                (_, _) -> {},
                                LogRoom.inMemory(LogRoom.MEMORY_BYTES),
                                directoryOfSessions,
                                heads,
                                Rerouting.NONE,
                                changes::incrementAndGet),
                        new ShardFetcher(
                                options,
                                this::manifest,
                                store,
                                sources -> new ReachedSources(sources, List.of())),
                        now::get,
                        new Random(1));
        made.start();
        return made;
    }

    private ModelManifest manifest(String modelId) throws StoreException {
        if (noManifest) {
            throw new StoreException("nobody has the manifest");
        }
        return manifest;
    }

    private Optional<HeadHost.HeadModel> head(int end) {
        return heads.find(manifest.id(), new Span(0, end));
    }

    private ShardKey key(int first, int end) {
        return new ShardKey(manifest.id(), new Span(first, end));
    }

    private Desired want(long generation, ShardKey... keys) {
        String source = "http://127.0.0.1:" + web.getAddress().getPort() + "/model.gguf";
        return new Desired(
                generation,
                Arrays.stream(keys)
                        .map(key -> new DesiredShard(key, CELLS, List.of(source)))
                        .toList());
    }

    private void awaitPhases(ShardPhase... phases) {
        await().untilAsserted(() ->
                assertThat(host.shards()).extracting(ShardStatus::phase).containsExactly(phases));
    }

    @Test
    void fetchesLoadsAndServesWhatIsAssigned() {
        host.assign(want(3, key(0, 2), key(2, 4)));
        awaitPhases(ShardPhase.SERVING, ShardPhase.SERVING);
        assertThat(head(2)).isPresent();
        assertThat(head(4)).isEmpty();
        assertThat(host.generation()).isEqualTo(3);
        assertThat(host.shards())
                .allSatisfy(shard -> {
                    assertThat(shard.bytesDone()).isEqualTo(shard.bytesTotal()).isPositive();
                    assertThat(shard.report().getKvCells()).isEqualTo(CELLS);
                });
        assertThat(changes.get()).isGreaterThan(3);
    }

    @Test
    void drainsAndDropsWhatIsNoLongerAssigned() {
        host.assign(want(1, key(0, 2)));
        awaitPhases(ShardPhase.SERVING);
        host.assign(want(2, key(2, 4)));
        awaitPhases(ShardPhase.SERVING);
        await().untilAsserted(
                        () -> assertThat(host.shards().getFirst().key()).isEqualTo(key(2, 4)));
        await().untilAsserted(() -> assertThat(loader.open).hasValue(1));
        assertThat(head(2)).isEmpty();
    }

    @Test
    void tellsTwoHeadsOfOneModelApart() {
        host.assign(want(1, key(0, 2), key(0, 3)));
        awaitPhases(ShardPhase.SERVING, ShardPhase.SERVING);
        assertThat(head(2)).isPresent().isNotEqualTo(head(3));
        assertThat(head(3)).isPresent();
        host.assign(want(2, key(0, 2)));
        await().until(() -> head(3).isEmpty());
        assertThat(head(2)).isPresent();
    }

    @Test
    void ignoresAnAssignmentOfAnOlderGeneration() {
        host.assign(want(5, key(0, 2)));
        awaitPhases(ShardPhase.SERVING);
        host.assign(want(4));
        host.assign(want(5, key(0, 2), key(2, 3)));
        awaitPhases(ShardPhase.SERVING, ShardPhase.SERVING);
        assertThat(host.generation()).isEqualTo(5);
        assertThat(loader.loaded).hasSize(2);
    }

    @Test
    void saysWhyAShardFailedAndTriesAgainAfterAPause() {
        loader.refusal = "llama.cpp has a headache";
        host.assign(want(1, key(2, 3)));
        awaitPhases(ShardPhase.FAILED);
        assertThat(host.shards().getFirst().failure()).isEqualTo("llama.cpp has a headache");
        loader.refusal = "";
        assertThat(loader.loaded).hasSize(1);
        now.addAndGet(1001);
        awaitPhases(ShardPhase.SERVING);
        assertThat(host.shards().getFirst().failure()).isEmpty();
    }

    @Test
    void failsWhenNobodyHasTheManifest() {
        noManifest = true;
        host.assign(want(1, key(2, 3)));
        awaitPhases(ShardPhase.FAILED);
        assertThat(host.shards().getFirst().failure()).contains("nobody has the manifest");
        noManifest = false;
        now.addAndGet(1001);
        awaitPhases(ShardPhase.SERVING);
    }

    @Test
    void neverTakesMoreMemoryThanIsLent() throws Exception {
        host.close();
        host = host(10_000_000);
        host.assign(want(1, key(2, 3)));
        awaitPhases(ShardPhase.FAILED);
        assertThat(host.shards().getFirst().failure()).contains("10 MB lent");
        assertThat(loader.loaded).isEmpty();
    }

    @Test
    void endsInOrderWhenItGivesEverythingUp() {
        host.assign(want(1, key(0, 2), key(2, 4)));
        awaitPhases(ShardPhase.SERVING, ShardPhase.SERVING);
        host.leave();
        host.letGo();
        await().until(() -> host.awaitEmpty(0));
        assertThat(host.shards()).isEmpty();
        assertThat(loader.open).hasValue(0);
    }

    @Test
    void closesWhatItHoldsWhenItIsClosed() {
        host.assign(want(1, key(0, 2)));
        awaitPhases(ShardPhase.SERVING);
        host.close();
        assertThat(loader.open).hasValue(0);
        assertThat(head(2)).isEmpty();
    }
}
