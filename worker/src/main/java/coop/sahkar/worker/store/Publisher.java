package coop.sahkar.worker.store;

import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.PublishReply;
import coop.sahkar.proto.v1.PublishRequest;
import coop.sahkar.worker.gguf.GgufFile;
import coop.sahkar.worker.gguf.ManifestBuilder;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.gguf.Progress;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Brings a GGUF file into the pool: describes it, serves it, and tells a coordinator. */
public final class Publisher {
    private Publisher() {}

    /**
     * Publishes a file. Reads all of it once.
     *
     * @param progress hears how much of it is digested
     * @throws StoreException if it is no model that the pool can serve, or no coordinator takes it
     */
    public static Publication publish(Path path, PublishOptions options, Progress progress)
            throws StoreException, InterruptedException {
        for (String source : options.sources()) {
            refuse(Sources.problem(source));
        }
        try {
            ModelManifest manifest = describe(path, options, progress);
            return announce(path, manifest, options);
        } catch (IOException e) {
            throw new StoreException(String.valueOf(e.getMessage()), e);
        }
    }

    private static ModelManifest describe(Path path, PublishOptions options, Progress progress)
            throws IOException, StoreException, InterruptedException {
        try (GgufFile file = GgufFile.open(path)) {
            refuse(
                    ChatTemplates.of(file.metadata())
                            .check()
                            .map(problem -> path + " cannot be served: " + problem.message()));
            String name = options.name().isEmpty() ? ManifestBuilder.nameOf(path) : options.name();
            return ManifestBuilder.build(file, name, options.threads(), progress);
        }
    }

    private static void refuse(Optional<String> problem) throws StoreException {
        if (problem.isPresent()) {
            throw new StoreException(problem.get());
        }
    }

    private static Publication announce(Path path, ModelManifest manifest, PublishOptions options)
            throws IOException, StoreException, InterruptedException {
        List<Piece> pieces = new ArrayList<>();
        pieces.add(ShardStore.keyValues(manifest));
        manifest.tensors().forEach(tensor -> pieces.add(ShardStore.piece(tensor)));
        PublishedFile file = PublishedFile.open(path, manifest.id(), pieces);
        Server server = null;
        boolean kept = false;
        try {
            server = options.serve() ? serve(file, options) : null;
            List<String> sources = sources(server, options);
            PublishReply reply = tell(manifest, sources, options);
            kept = true;
            return new Publication(
                    reply.getModelId(), sources, reply.getAlreadyPublished(), server, file);
        } finally {
            if (!kept) {
                Publication.close(server, file);
            }
        }
    }

    private static Server serve(PublishedFile file, PublishOptions options) throws IOException {
        try {
            NettyServerBuilder builder = NettyServerBuilder.forAddress(options.bind());
            options.transport()
                    .tls()
                    .ifPresent(tls -> builder.sslContext(tls.serving(PeerRule.WORKER)));
            return builder.addService(new TensorService(file)).build().start();
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen on %s (%s); choose another address or port"
                            .formatted(options.bind(), e.getMessage()),
                    e);
        }
    }

    private static List<String> sources(@Nullable Server server, PublishOptions options)
            throws StoreException {
        List<String> sources = new ArrayList<>();
        if (server != null) {
            sources.add(WorkerSource.SCHEME + options.advertisedHost() + ":" + server.getPort());
        }
        sources.addAll(options.sources());
        if (sources.isEmpty()) {
            throw new StoreException(
                    "nobody could fetch the model: serve the file from here, or name a source");
        }
        return sources;
    }

    private static PublishReply tell(
            ModelManifest manifest, List<String> sources, PublishOptions options)
            throws IOException, StoreException, InterruptedException {
        Manifest wire = ManifestCodec.encode(manifest);
        PublishRequest request =
                PublishRequest.newBuilder()
                        .setManifest(wire)
                        .addAllSources(sources)
                        .setMinStages(options.minStages())
                        .build();
        return new PoolModels(options.coordinators(), options.transport()).publish(request);
    }
}
