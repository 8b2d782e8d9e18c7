package coop.sahkar.worker.agent;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.AssignedShard;
import coop.sahkar.proto.v1.Assignment;
import coop.sahkar.proto.v1.CoordinatorMessage;
import coop.sahkar.proto.v1.GetManifestRequest;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.PublishReply;
import coop.sahkar.proto.v1.PublishRequest;
import coop.sahkar.proto.v1.ShardState;
import coop.sahkar.proto.v1.SignedTicket;
import coop.sahkar.proto.v1.TicketKey;
import coop.sahkar.proto.v1.Welcome;
import coop.sahkar.proto.v1.WorkerControlGrpc;
import coop.sahkar.proto.v1.WorkerHello;
import coop.sahkar.proto.v1.WorkerMessage;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A coordinator that does as it is told: keeps one model, assigns, and signs tickets. */
final class FakePool implements AutoCloseable {
    private static final String KEY_ID = "k1";

    final Map<String, WorkerMessage> last = new ConcurrentHashMap<>();
    private final Map<String, WorkerHello> hellos = new ConcurrentHashMap<>();
    private final Map<String, StreamObserver<CoordinatorMessage>> streams =
            new ConcurrentHashMap<>();
    private final KeyPair keys;
    private final Server server;
    private volatile @Nullable PublishRequest published;
    private long generation;

    FakePool() throws Exception {
        keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        server =
                NettyServerBuilder.forAddress(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .addService(new Control())
                        .addService(new Models())
                        .build()
                        .start();
    }

    String address() {
        return "127.0.0.1:" + server.getPort();
    }

    private TicketKey key() {
        return TicketKey.newBuilder()
                .setKeyId(KEY_ID)
                .setPublicKey(ByteString.copyFrom(keys.getPublic().getEncoded()))
                .build();
    }

    boolean attached(String workerId) {
        return streams.containsKey(workerId);
    }

    /** Tells a worker to hold these blocks, and nothing else. */
    void assign(String workerId, String modelId, int kvCells, Span... spans) {
        Assignment.Builder assignment =
                Assignment.newBuilder().setGeneration(++generation).addTicketKeys(key());
        for (Span span : spans) {
            assignment.addShards(
                    AssignedShard.newBuilder()
                            .setModelId(modelId)
                            .setSpan(Wire.toWire(span))
                            .setKvCells(kvCells)
                            .addAllSources(Objects.requireNonNull(published).getSourcesList()));
        }
        Objects.requireNonNull(streams.get(workerId))
                .onNext(CoordinatorMessage.newBuilder().setAssignment(assignment).build());
    }

    /** Whether a worker's last report says that all it holds is being served. */
    boolean serving(String workerId, int shards) {
        WorkerMessage message = last.get(workerId);
        return message != null
                && message.hasReport()
                && message.getReport().getShardsCount() == shards
                && message.getReport().getShardsList().stream()
                        .allMatch(s -> s.getState() == ShardState.SHARD_STATE_SERVING);
    }

    /** A ticket for a route through these workers, whose spans follow each other. */
    SignedTicket ticket(String modelId, int blockCount, List<String> workers, List<Span> spans) {
        List<RouteStage> stages = new ArrayList<>();
        for (int i = 0; i < workers.size(); i++) {
            WorkerHello hello = Objects.requireNonNull(hellos.get(workers.get(i)));
            stages.add(new RouteStage(workers.get(i), hello.getEndpoint(), spans.get(i)));
        }
        Random random = new Random();
        Ticket ticket =
                new Ticket(
                        new SessionId(random.nextLong(), random.nextLong()),
                        1,
                        modelId,
                        blockCount,
                        stages,
                        "",
                        256,
                        System.currentTimeMillis() + 60_000,
                        generation);
        return Tickets.toWire(Tickets.seal(ticket, KEY_ID, keys.getPrivate()));
    }

    private final class Control extends WorkerControlGrpc.WorkerControlImplBase {
        @Override
        public StreamObserver<WorkerMessage> attach(StreamObserver<CoordinatorMessage> out) {
            return new StreamObserver<>() {
                private String workerId = "";

                @Override
                public void onNext(WorkerMessage message) {
                    if (message.hasHello()) {
                        workerId = message.getHello().getWorkerId();
                        hellos.put(workerId, message.getHello());
                        out.onNext(welcome());
                        streams.put(workerId, out);
                    }
                    last.put(workerId, message);
                }

                @Override
                public void onError(Throwable failure) {
                    streams.remove(workerId, out);
                }

                @Override
                public void onCompleted() {
                    streams.remove(workerId, out);
                    out.onCompleted();
                }
            };
        }
    }

    private CoordinatorMessage welcome() {
        return CoordinatorMessage.newBuilder()
                .setWelcome(
                        Welcome.newBuilder()
                                .setProtocol(ProtocolVersions.ours())
                                .setCoordinatorId("fake")
                                .setReportIntervalMillis(200)
                                .addTicketKeys(key())
                                .addCoordinators(address()))
                .build();
    }

    private final class Models extends ModelsGrpc.ModelsImplBase {
        @Override
        public void publish(PublishRequest request, StreamObserver<PublishReply> answer) {
            published = request;
            Manifest manifest = request.getManifest();
            String digest = HexFormat.of().formatHex(manifest.getDigest().toByteArray());
            answer.onNext(
                    PublishReply.newBuilder()
                            .setModelId(manifest.getName() + "@" + digest)
                            .build());
            answer.onCompleted();
        }

        @Override
        public void getManifest(GetManifestRequest request, StreamObserver<Manifest> answer) {
            PublishRequest known = published;
            if (known == null) {
                answer.onError(Status.NOT_FOUND.asException());
                return;
            }
            answer.onNext(known.getManifest());
            answer.onCompleted();
        }
    }

    @Override
    public void close() {
        server.shutdownNow();
    }
}
