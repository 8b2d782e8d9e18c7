package coop.sahkar.deploy.demo;

import coop.sahkar.coordinator.accounts.HostKey;
import coop.sahkar.deploy.network.SmallInternet;
import coop.sahkar.proto.v1.AccountsGrpc;
import coop.sahkar.proto.v1.AccountsGrpc.AccountsBlockingStub;
import coop.sahkar.proto.v1.ClusterGrpc;
import coop.sahkar.proto.v1.GroupReply;
import coop.sahkar.proto.v1.GroupRequest;
import coop.sahkar.proto.v1.ListModelsReply;
import coop.sahkar.proto.v1.ListModelsRequest;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.PoolGrpc;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.PoolStatusRequest;
import coop.sahkar.proto.v1.RemoveRequest;
import coop.sahkar.proto.v1.WorkerStatus;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.store.Publication;
import coop.sahkar.worker.store.PublishOptions;
import coop.sahkar.worker.store.Publisher;
import coop.sahkar.worker.store.StoreException;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A pool whose coordinators are processes of their own too, started as people would start them; so
 * that they can be killed. Thread-safe.
 */
public final class ClusterPool implements AutoCloseable {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private static final String LOOPBACK = "127.0.0.1";
    private static final long KV_BYTES = 512L << 20;
    private static final int START_SECONDS = 90;
    private static final int POLL_MILLIS = 20;
    private static final int ANSWER_MILLIS = 2_000;
    private static final int CHANGE_SECONDS = 60;

    /** On machines of their own all can have the same. */
    private static final int GATEWAY_PORT = 7311;

    private static final int RAFT_PORT = 7312;

    private final Path launcher;
    private final DemoFolder folder;
    private final @Nullable SmallInternet internet;
    private final Map<String, Member> members = new LinkedHashMap<>(); // guarded by itself
    private final List<NodeProcess> workers = new ArrayList<>();
    private @Nullable Publication publication;
    private String modelId = "";
    private int blocks;

    /** A coordinator, running or not. */
    private static final class Member {
        final String gateway;
        final ManagedChannel channel;
        NodeProcess process;

        Member(String gateway, NodeProcess process) {
            this.gateway = gateway;
            this.process = process;
            this.channel = NettyChannelBuilder.forTarget(gateway).usePlaintext().build();
        }
    }

    private ClusterPool(Path launcher, DemoFolder folder, @Nullable SmallInternet internet) {
        this.launcher = launcher;
        this.folder = folder;
        this.internet = internet;
    }

    /**
     * Starts the first coordinator, c1.
     *
     * @param launcher bin/sahkar of the distribution
     * @throws DemoException in a sentence, if it cannot be started
     */
    public static ClusterPool start(Path launcher) throws InterruptedException {
        return start(launcher, null);
    }

    /**
     * Starts the first coordinator, c1.
     *
     * @param launcher bin/sahkar of the distribution
     * @param internet where each coordinator has a machine of its own; null: all run on this one
     * @throws DemoException in a sentence, if it cannot be started
     */
    public static ClusterPool start(Path launcher, @Nullable SmallInternet internet)
            throws InterruptedException {
        DemoFolder folder;
        try {
            folder = DemoFolder.make(Path.of(System.getProperty("java.io.tmpdir")));
        } catch (IOException e) {
            throw new DemoException("No temporary folder can be made: " + e.getMessage() + ".", e);
        }
        ClusterPool pool = new ClusterPool(launcher, folder, internet);
        try {
            pool.add("c1");
            return pool;
        } catch (DemoException | InterruptedException e) {
            pool.close();
            throw e;
        }
    }

    /** Starts one more coordinator, and waits until it is a member and serves. */
    public void add(String id) throws InterruptedException {
        String through = gateways().isEmpty() ? "" : gateways().getFirst();
        String gateway = place(id);
        Member member = new Member(gateway, process(id, gateway, through));
        start(member.process);
        synchronized (members) {
            members.put(id, member);
        }
        awaitServing(id);
    }

    /** Where a new coordinator's gateway is to listen. */
    private String place(String id) {
        if (internet == null) {
            return LOOPBACK + ":" + freePort();
        }
        try {
            internet.join(id);
            return internet.address(id) + ":" + GATEWAY_PORT;
        } catch (IOException e) {
            throw new DemoException(
                    "There is no machine for %s: %s.".formatted(id, e.getMessage()), e);
        }
    }

    /** Removes a coordinator from the group, and waits until its process has ended. */
    public void remove(String id) throws InterruptedException {
        Member gone = member(id);
        String other = ids().stream().filter(known -> !known.equals(id)).findFirst().orElseThrow();
        try {
            ClusterGrpc.newBlockingStub(member(other).channel)
                    .withDeadlineAfter(CHANGE_SECONDS, TimeUnit.SECONDS)
                    .remove(RemoveRequest.newBuilder().setId(id).build());
        } catch (StatusRuntimeException e) {
            throw new DemoException("%s cannot be removed: %s".formatted(id, e.getStatus()), e);
        }
        await(id + " to end", () -> !gone.process.alive());
        synchronized (members) {
            members.remove(id);
        }
        gone.channel.shutdownNow();
    }

    /** Kills a coordinator without warning. */
    public void kill(String id) {
        member(id).process.kill();
    }

    /** Starts a killed coordinator again, with nothing but its data, and waits until it serves. */
    public void revive(String id) throws InterruptedException {
        Member member = member(id);
        member.process = process(id, member.gateway, "");
        start(member.process);
        member.channel.resetConnectBackoff();
        awaitServing(id);
    }

    private NodeProcess process(String id, String gateway, String join) {
        try {
            String raft =
                    internet == null ? LOOPBACK + ":0" : internet.address(id) + ":" + RAFT_PORT;
            return NodeProcess.coordinator(
                    launcher, id, gateway, raft, join, folder.path(), internet);
        } catch (IOException e) {
            throw new DemoException("%s cannot be started: %s.".formatted(id, e.getMessage()), e);
        }
    }

    private static void start(NodeProcess process) {
        try {
            process.start();
        } catch (IOException e) {
            throw new DemoException(
                    "%s cannot be started: %s.".formatted(process.id(), e.getMessage()), e);
        }
    }

    private void awaitServing(String id) throws InterruptedException {
        Member member = member(id);
        await(
                id + " to serve",
                () -> {
                    if (!member.process.alive()) {
                        throw new DemoException(
                                "%s ended too early. It said:\n%s"
                                        .formatted(id, member.process.lastWords()));
                    }
                    member.channel.resetConnectBackoff();
                    return group(id).filter(g -> !g.getLeaderId().isEmpty()).isPresent();
                });
    }

    /**
     * Starts workers, publishes a model, and waits until it is served.
     *
     * @param count how many workers
     * @param stages how many parts the model is cut into at least
     */
    public void serve(Path model, int count, int stages) throws InterruptedException {
        try {
            long memory = Files.size(model) + KV_BYTES;
            String coordinators = String.join(",", gateways());
            for (int i = 1; i <= count; i++) {
                NodeProcess worker =
                        NodeProcess.prepare(
                                launcher,
                                "worker-" + i,
                                new DemoPool.Crew(count, 1),
                                coordinators,
                                memory,
                                folder.path(),
                                null);
                worker.start();
                workers.add(worker);
            }
            await("the workers to report", () -> presentEverywhere() >= count);
            publication =
                    Publisher.publish(
                            model,
                            PublishOptions.local(gateways()).withMinStages(stages),
                            Progress.NONE);
            modelId = publication.modelId();
            await("the model to be served", () -> ids().stream().allMatch(this::ready));
        } catch (IOException | StoreException e) {
            throw new DemoException(String.valueOf(e.getMessage()), e);
        }
    }

    /** The fewest workers that any coordinator sees. */
    private long presentEverywhere() {
        return ids().stream()
                .mapToLong(id ->
                        status(id).stream()
                                .flatMap(status -> status.getWorkersList().stream())
                                .filter(WorkerStatus::getPresent)
                                .count())
                .min()
                .orElse(0);
    }

    private boolean ready(String id) {
        try {
            ListModelsReply models =
                    ModelsGrpc.newBlockingStub(member(id).channel)
                            .withDeadlineAfter(ANSWER_MILLIS, TimeUnit.MILLISECONDS)
                            .list(ListModelsRequest.getDefaultInstance());
            Optional<ModelStatus> model =
                    models.getModelsList().stream()
                            .filter(one -> one.getModelId().equals(modelId))
                            .findFirst();
            model.ifPresent(one -> blocks = one.getBlockCount());
            return model.map(ModelStatus::getReady).orElse(false);
        } catch (StatusRuntimeException e) {
            return false;
        }
    }

    /** The group as one coordinator sees it; empty if it does not answer. */
    public Optional<GroupReply> group(String id) {
        try {
            return Optional.of(
                    ClusterGrpc.newBlockingStub(member(id).channel)
                            .withDeadlineAfter(ANSWER_MILLIS, TimeUnit.MILLISECONDS)
                            .group(GroupRequest.getDefaultInstance()));
        } catch (StatusRuntimeException e) {
            return Optional.empty();
        }
    }

    /** The pool as one coordinator sees it; empty if it does not answer. */
    public Optional<PoolStatus> status(String id) {
        try {
            return Optional.of(
                    PoolGrpc.newBlockingStub(member(id).channel)
                            .withDeadlineAfter(ANSWER_MILLIS, TimeUnit.MILLISECONDS)
                            .status(PoolStatusRequest.getDefaultInstance()));
        } catch (StatusRuntimeException e) {
            return Optional.empty();
        }
    }

    /** Who leads, as most coordinators that answer say; empty if nobody does. */
    public String leader() {
        for (String id : ids()) {
            Optional<GroupReply> group = group(id);
            if (group.isPresent() && !group.get().getLeaderId().isEmpty()) {
                return group.get().getLeaderId();
            }
        }
        return "";
    }

    /** The coordinators' ids. */
    public List<String> ids() {
        synchronized (members) {
            return List.copyOf(members.keySet());
        }
    }

    /** Where their gateways listen, host:port. */
    public List<String> gateways() {
        synchronized (members) {
            return members.values().stream().map(member -> member.gateway).toList();
        }
    }

    /** A coordinator's accounts and policy, with all that its operator may do. */
    public AccountsBlockingStub accounts(String id) {
        String key =
                HostKey.read(folder.path().resolve(id).resolve("coordinator"))
                        .orElseThrow(() ->
                                new DemoException("%s has left no operator's key.".formatted(id)));
        Metadata headers = new Metadata();
        headers.put(AUTHORIZATION, "Bearer " + key);
        return AccountsGrpc.newBlockingStub(channel(id))
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    /** Where a coordinator's gateway listens, {@code host:port}. */
    public String gateway(String id) {
        return member(id).gateway;
    }

    /** Has connections that failed tried again at once. */
    public void reconnect() {
        ids().forEach(id -> member(id).channel.resetConnectBackoff());
    }

    /** A connection to a coordinator. */
    public Channel channel(String id) {
        return member(id).channel;
    }

    /** The published model's id. */
    public String modelId() {
        return modelId;
    }

    /** How many blocks the published model has. */
    public int blocks() {
        return blocks;
    }

    private Member member(String id) {
        synchronized (members) {
            Member member = members.get(id);
            if (member == null) {
                throw new DemoException(id + " is no coordinator of this pool.");
            }
            return member;
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new DemoException("No port is free.", e);
        }
    }

    private static void await(String what, BooleanSupplier done) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (!done.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new DemoException(
                        "Waiting for %s took more than %d seconds.".formatted(what, START_SECONDS));
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    @Override
    public void close() {
        synchronized (members) {
            workers.forEach(NodeProcess::tellToEnd);
            members.values().forEach(member -> member.process.tellToEnd());
            workers.forEach(NodeProcess::close);
            members.values().forEach(member -> member.process.close());
            members.values().forEach(member -> member.channel.shutdownNow());
        }
        if (publication != null) {
            publication.close();
        }
        folder.close();
    }
}
