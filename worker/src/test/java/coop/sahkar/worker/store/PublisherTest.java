package coop.sahkar.worker.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.proto.Span;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.GetManifestRequest;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.PublishReply;
import coop.sahkar.proto.v1.PublishRequest;
import coop.sahkar.worker.gguf.Architecture;
import coop.sahkar.worker.gguf.GgufFile;
import coop.sahkar.worker.gguf.GgufLayout;
import coop.sahkar.worker.gguf.GgufWriter;
import coop.sahkar.worker.gguf.Metadata;
import coop.sahkar.worker.gguf.MetadataBuilder;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.ShardAssembler;
import coop.sahkar.worker.gguf.ShardPlan;
import coop.sahkar.worker.gguf.TensorSource;
import coop.sahkar.worker.gguf.TensorType;
import coop.sahkar.worker.gguf.synthetic.RandomModel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublisherTest {
    @TempDir Path directory;

    private final Map<String, PublishRequest> published = new ConcurrentHashMap<>();
    private final AtomicInteger refusals = new AtomicInteger();
    private Path path;
    private Server coordinator;

    @BeforeEach
    void start() throws Exception {
        path = directory.resolve("Random Model.gguf");
        RandomModel.small(Architecture.LLAMA, TensorType.Q8_0, 4).write(path, Progress.NONE);
        coordinator =
                NettyServerBuilder.forAddress(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .addService(new FakeModels())
                        .build()
                        .start();
    }

    @AfterEach
    void stop() throws Exception {
        coordinator.shutdownNow().awaitTermination();
    }

    private List<String> coordinators() {
        return List.of("127.0.0.1:" + coordinator.getPort());
    }

    private final class FakeModels extends ModelsGrpc.ModelsImplBase {
        @Override
        public void publish(PublishRequest request, StreamObserver<PublishReply> answer) {
            if (refusals.getAndDecrement() > 0) {
                answer.onError(Status.UNAVAILABLE.withDescription("no leader").asException());
                return;
            }
            String id =
                    request.getManifest().getName()
                            + "@"
                            + HexFormat.of()
                                    .formatHex(request.getManifest().getDigest().toByteArray());
            boolean known = published.put(id, request) != null;
            answer.onNext(
                    PublishReply.newBuilder().setModelId(id).setAlreadyPublished(known).build());
            answer.onCompleted();
        }

        @Override
        public void getManifest(GetManifestRequest request, StreamObserver<Manifest> answer) {
            PublishRequest found = published.get(request.getModelId());
            if (found == null) {
                answer.onError(Status.NOT_FOUND.withDescription("no such model").asException());
                return;
            }
            answer.onNext(found.getManifest());
            answer.onCompleted();
        }
    }

    @Test
    void aWorkerFetchesEveryKindOfShardFromAPublishedFile() throws Exception {
        try (Publication publication =
                        Publisher.publish(
                                path, PublishOptions.local(coordinators()), Progress.NONE);
                GgufFile original = GgufFile.open(path)) {
            assertThat(publication.modelId()).startsWith("random-model@");
            ModelManifest manifest =
                    new PoolModels(coordinators(), Transport.OPEN).manifest(publication.modelId());
            int blocks = manifest.blockCount();
            TensorStore files = TensorStore.open(directory.resolve("store"), 1L << 30);
            ShardStore store = new ShardStore(files, FetchPolicy.DEFAULT, Transport.OPEN);
            for (Span span :
                    List.of(
                            new Span(0, 2),
                            new Span(2, 3),
                            new Span(3, blocks),
                            new Span(0, blocks))) {
                try (StoredFile stored =
                        store.obtain(
                                manifest,
                                span,
                                publication.sources(),
                                FetchProgress.SILENT,
                                new Cancellation())) {
                    Path expected = directory.resolve("expected.gguf");
                    ShardAssembler.assemble(
                            ShardPlan.of(manifest, span, original.metadata()),
                            TensorSource.of(original),
                            expected,
                            Progress.NONE);
                    assertThat(Files.mismatch(stored.path(), expected))
                            .as("%s", span)
                            .isEqualTo(-1);
                }
            }
        }
    }

    @Test
    void aWorkersShardServesAnotherWorkerWhenThePublisherHasGone() throws Exception {
        ModelManifest manifest;
        TensorStore first = TensorStore.open(directory.resolve("first"), 1L << 30);
        try (Publication publication =
                Publisher.publish(path, PublishOptions.local(coordinators()), Progress.NONE)) {
            manifest =
                    new PoolModels(coordinators(), Transport.OPEN).manifest(publication.modelId());
            obtain(first, manifest, publication.sources()).close();
        }
        Server worker =
                NettyServerBuilder.forAddress(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .addService(new TensorService(first))
                        .build()
                        .start();
        try {
            TensorStore second = TensorStore.open(directory.resolve("second"), 1L << 30);
            String source = "sahkar://127.0.0.1:" + worker.getPort();
            try (StoredFile one = obtain(first, manifest, List.of());
                    StoredFile other = obtain(second, manifest, List.of(source))) {
                assertThat(Files.mismatch(one.path(), other.path())).isEqualTo(-1);
            }
        } finally {
            worker.shutdownNow().awaitTermination();
        }
    }

    private static StoredFile obtain(
            TensorStore files, ModelManifest manifest, List<String> sources) throws Exception {
        return new ShardStore(files, FetchPolicy.DEFAULT, Transport.OPEN)
                .obtain(
                        manifest,
                        new Span(0, 2),
                        sources,
                        FetchProgress.SILENT,
                        new Cancellation());
    }

    @Test
    void theManifestSurvivesTheWire() throws Exception {
        try (Publication publication =
                Publisher.publish(path, PublishOptions.local(coordinators()), Progress.NONE)) {
            Manifest wire =
                    Objects.requireNonNull(published.get(publication.modelId())).getManifest();
            assertThat(ManifestCodec.encode(ManifestCodec.decode(wire))).isEqualTo(wire);
            assertThat(wire.getMetadata().toStringUtf8()).doesNotContain("tokenizer.");
        }
    }

    @Test
    void waitsForALeaderAndSaysWhenTheModelWasThereAlready() throws Exception {
        refusals.set(2);
        PublishOptions options = PublishOptions.local(coordinators());
        Publisher.publish(path, options, Progress.NONE).close();
        try (Publication again = Publisher.publish(path, options, Progress.NONE)) {
            assertThat(again.alreadyPublished()).isTrue();
        }
    }

    @Test
    void refusesWhatIsNoModel() throws Exception {
        Path text = directory.resolve("text.gguf");
        Files.writeString(text, "not a model at all, but long enough to hold a header");
        assertThatThrownBy(() ->
                        Publisher.publish(
                                text, PublishOptions.local(coordinators()), Progress.NONE))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("text.gguf");
        assertThat(published).isEmpty();
    }

    @Test
    void refusesABadSourceByName() {
        PublishOptions options =
                PublishOptions.local(coordinators())
                        .withSources(List.of("ftp://example.org/x.gguf"), true);
        assertThatThrownBy(() -> Publisher.publish(path, options, Progress.NONE))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("ftp://example.org/x.gguf");
    }

    private Path withTemplate() throws Exception {
        Path target = directory.resolve("template.gguf");
        try (GgufFile file = GgufFile.open(path)) {
            Metadata metadata =
                    new MetadataBuilder()
                            .copy(file.metadata(), _ -> true)
                            .text("tokenizer.chat_template", "{% for message in %}")
                            .build();
            List<GgufLayout.Slot> slots =
                    file.tensors().stream()
                            .map(one -> new GgufLayout.Slot(one.name(), one.type(), one.shape()))
                            .toList();
            GgufLayout layout = GgufLayout.of(metadata, slots);
            GgufWriter.write(layout, (_, _, _) -> false, target, Progress.NONE);
        }
        return target;
    }

    @Test
    void refusesAChatTemplateThatCannotBeRendered() throws Exception {
        Path broken = withTemplate();
        PublishOptions options = PublishOptions.local(coordinators());
        assertThatThrownBy(() -> Publisher.publish(broken, options, Progress.NONE))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("template.gguf cannot be served")
                .hasMessageContaining("template");
        assertThat(published).isEmpty();
    }
}
