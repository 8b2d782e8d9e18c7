package coop.sahkar.deploy.e2e;

import static org.awaitility.Awaitility.await;

import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.ModelInfo;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.v1.PoolGrpc;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.PoolStatusRequest;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.ShardState;
import coop.sahkar.proto.v1.WorkerStatus;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.store.Publication;
import coop.sahkar.worker.store.PublishOptions;
import coop.sahkar.worker.store.Publisher;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Assertions;

/**
 * A pool of real processes from the built distribution, on free ports of this machine. Whatever a
 * test did to them, closing the pool, or the end of this JVM, ends them all.
 */
final class TestPool implements AutoCloseable {
    /** In which a healthy pool on a busy machine does what it is asked. */
    static final Duration SOON = Duration.ofSeconds(60);

    private static final int CALL_SECONDS = 10;
    private static final String LOOPBACK = "127.0.0.1";
    private static final String COORDINATOR = "coordinator";

    private final Path scratch;
    private final String host;
    private final Distribution sahkar;
    private final int port;
    private final int raftPort;
    private final Map<String, Node> nodes = new ConcurrentHashMap<>();
    private final Thread lastResort = new Thread(this::killAll, "kill-test-pool");
    private final ManagedChannel channel;
    private final InferenceClient client;
    private String model = "";

    private TestPool(Path scratch, String host) throws IOException {
        this.scratch = scratch;
        this.host = host;
        this.sahkar = new Distribution(scratch);
        this.port = freePort();
        this.raftPort = freePort();
        this.channel = open(address());
        this.client = InferenceClient.connect(address());
        Runtime.getRuntime().addShutdownHook(lastResort);
    }

    /** A pool with a coordinator and nobody else yet. */
    static TestPool start(Path scratch) throws IOException {
        return start(scratch, LOOPBACK);
    }

    /** The same on another address of this machine. */
    static TestPool start(Path scratch, String host) throws IOException {
        return start(scratch, host, "--expose-without-encryption");
    }

    /** A pool whose coordinator says everything. */
    static TestPool talkative(Path scratch) throws IOException {
        return start(scratch, LOOPBACK, "-vv");
    }

    private static TestPool start(Path scratch, String host, String how) throws IOException {
        TestPool pool = new TestPool(scratch, host);
        try {
            pool.startCoordinator(how);
            return pool;
        } catch (RuntimeException | Error e) {
            pool.close();
            throw e;
        }
    }

    /** A pool whose {@code workers} serve a model in at least {@code stages} parts. */
    static TestPool serving(Path scratch, Path model, int workers, int stages) throws Exception {
        TestPool pool = start(scratch);
        try {
            for (int i = 1; i <= workers; i++) {
                pool.startWorker("worker-" + i);
            }
            pool.awaitPresent(workers);
            pool.publish(model, stages);
            return pool;
        } catch (Exception | Error e) {
            System.err.println(pool.logs());
            pool.close();
            throw e;
        }
    }

    /** Starts the coordinator, for the first time or again, and waits until it answers. */
    Node startCoordinator(String... more) throws IOException {
        Node node = launchCoordinator(more);
        channel.resetConnectBackoff();
        await("the coordinator").atMost(SOON).ignoreExceptions().until(() -> status() != null);
        return node;
    }

    /** Starts the coordinator and does not wait. */
    Node launchCoordinator(String... more) throws IOException {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "coordinator",
                                "--listen",
                                address(),
                                "--raft-listen",
                                "127.0.0.1:" + raftPort,
                                "--data",
                                scratch.resolve(COORDINATOR).toString()));
        arguments.addAll(List.of(more));
        return start(COORDINATOR, arguments);
    }

    /** Starts a worker, for the first time or again, and does not wait. */
    Node startWorker(String id, String... more) throws IOException {
        return start(id, workerArguments(id, more));
    }

    /** Has a worker told to leave, as from another terminal; a command of its own. */
    Node drain(String id) throws IOException {
        List<String> arguments = List.of("drain", "--data", scratch.resolve(id).toString());
        return Node.start(sahkar.command(arguments), "drain-" + id, scratch);
    }

    private List<String> workerArguments(String id, String... more) {
        List<String> arguments =
                new ArrayList<>(
                        List.of("worker", "--exit-with-parent", "--id", id, "--threads", "1"));
        arguments.addAll(List.of("--coordinator", address(), "--speed", "1000000000"));
        arguments.addAll(List.of("--data", scratch.resolve(id).toString()));
        arguments.addAll(List.of("--memory", "2G"));
        arguments.addAll(List.of(more));
        return arguments;
    }

    /**
     * Starts a worker in a network of its own.
     *
     * @param inside makes of a command the one that runs it there
     */
    Node startWorkerIn(UnaryOperator<List<String>> inside, String id, String... more)
            throws IOException {
        ProcessBuilder command = sahkar.command(workerArguments(id, more));
        command.command(inside.apply(command.command()));
        return started(Node.start(command, id, scratch));
    }

    private Node start(String id, List<String> arguments) throws IOException {
        return started(Node.start(sahkar.command(arguments), id, scratch));
    }

    private Node started(Node node) {
        String id = node.id();
        nodes.put(id, node);
        return node;
    }

    Node node(String id) {
        return java.util.Objects.requireNonNull(nodes.get(id), id);
    }

    Node coordinator() {
        return node(COORDINATOR);
    }

    /** Publishes a model and waits until it is served. */
    void publish(Path file, int stages) throws Exception {
        PublishOptions options =
                PublishOptions.local(List.of(address()))
                        .withMinStages(stages)
                        .withBind(new InetSocketAddress(host, 0), host);
        try (Publication publication = Publisher.publish(file, options, Progress.NONE)) {
            model = publication.modelId();
            awaitServed();
        }
    }

    void awaitServed() {
        try {
            await("a served model")
                    .atMost(SOON)
                    .ignoreExceptionsMatching(e -> !(e instanceof AssertionError))
                    .until(this::served);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("not served: " + status().getModelsList() + logs(), e);
        }
    }

    private boolean served() {
        for (Node node : nodes.values()) {
            if (!node.alive()) {
                Assertions.fail(node.id() + " ended by itself:\n" + node.output());
            }
        }
        return ready();
    }

    /** Whether the model is whole now, whoever has ended. */
    boolean ready() {
        return client.models().stream()
                .filter(known -> known.id().equals(model))
                .anyMatch(ModelInfo::ready);
    }

    void awaitPresent(int workers) {
        await(workers + " workers").atMost(SOON).until(() -> present() == workers);
    }

    long present() {
        return status().getWorkersList().stream().filter(WorkerStatus::getPresent).count();
    }

    /** Ids of the workers that serve the model, in the order of their blocks, replicas included. */
    List<String> chain() {
        record Served(int first, String worker) {}
        List<Served> served = new ArrayList<>();
        for (WorkerStatus worker : status().getWorkersList()) {
            for (ShardReport shard : worker.getShardsList()) {
                if (shard.getState() == ShardState.SHARD_STATE_SERVING) {
                    served.add(
                            new Served(
                                    shard.getSpan().getFirst(), worker.getHello().getWorkerId()));
                }
            }
        }
        served.sort(Comparator.comparingInt(Served::first).thenComparing(Served::worker));
        return served.stream().map(Served::worker).toList();
    }

    /** Waits until so many workers serve a part each, and nobody a spare beside it any more. */
    void awaitOnePartEach(int workers) {
        await("a part for each of " + workers)
                .atMost(SOON)
                .until(() -> {
                    List<String> chain = chain();
                    return chain.size() == workers && chain.stream().distinct().count() == workers;
                });
    }

    /** Every shard as its worker last reported it. */
    List<ShardReport> shards() {
        return status().getWorkersList().stream()
                .map(WorkerStatus::getShardsList)
                .flatMap(Collection::stream)
                .toList();
    }

    /** Whether no shard has a session or keeps room for one. */
    boolean idle() {
        return shards().stream()
                .allMatch(shard -> shard.getSessions() == 0 && shard.getKvReserved() == 0);
    }

    PoolStatus status() {
        return PoolGrpc.newBlockingStub(channel)
                .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
                .status(PoolStatusRequest.getDefaultInstance());
    }

    String model() {
        return model;
    }

    String address() {
        return host + ":" + port;
    }

    InferenceClient client() {
        return client;
    }

    /** The coordinator's gRPC services. */
    ManagedChannel channel() {
        return channel;
    }

    Path scratch() {
        return scratch;
    }

    /** What everybody printed, for a failed test. */
    String logs() {
        StringBuilder all = new StringBuilder();
        nodes.values()
                .forEach(node ->
                        all.append("--- ").append(node.id()).append('\n').append(node.output()));
        return all.toString();
    }

    /** A channel to a gRPC server of this machine. */
    static ManagedChannel open(String address) {
        return NettyChannelBuilder.forTarget(address).usePlaintext().build();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void killAll() {
        nodes.values()
                .forEach(node ->
                        ProcessHandle.of(node.pid()).ifPresent(ProcessHandle::destroyForcibly));
    }

    @Override
    public void close() {
        client.close();
        channel.shutdownNow();
        killAll();
        nodes.values().forEach(Node::close);
        Runtime.getRuntime().removeShutdownHook(lastResort);
    }
}
