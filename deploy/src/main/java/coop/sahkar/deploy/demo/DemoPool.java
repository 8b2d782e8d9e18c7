package coop.sahkar.deploy.demo;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.coordinator.CoordinatorOptions;
import coop.sahkar.coordinator.gateway.Gateway;
import coop.sahkar.coordinator.gateway.GatewayException;
import coop.sahkar.coordinator.gateway.GatewayOptions;
import coop.sahkar.deploy.network.SmallInternet;
import coop.sahkar.governance.Policy;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.ReachState;
import coop.sahkar.proto.v1.RepairStatus;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.ShardState;
import coop.sahkar.proto.v1.WorkerStatus;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.store.Publication;
import coop.sahkar.worker.store.PublishOptions;
import coop.sahkar.worker.store.Publisher;
import coop.sahkar.worker.store.StoreException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A pool that lives as long as the demo: a coordinator and its gateway in this process, workers in
 * processes of their own, and one model cut into a part for each.
 */
public final class DemoPool implements AutoCloseable {
    /** What a worker lends beyond its part of the model, for KV. */
    private static final long KV_BYTES = 512L << 20;

    private static final int START_SECONDS = 60;
    private static final int POLL_MILLIS = 50;

    /** A worker that was not heard of for longer has been stopped. */
    private static final int MOST_SILENT_MILLIS = 2_500;

    /** How a worker must be reached for routes to lead through it. */
    private static final Set<ReachState> ROUTABLE =
            EnumSet.of(ReachState.REACH_STATE_DIRECT, ReachState.REACH_STATE_RELAYED);

    private static final String LOOPBACK = "127.0.0.1";

    private final DemoFolder folder;
    private final Coordinator coordinator;
    private final Gateway gateway;

    /** Machines of their own for the workers; null when all share this one. */
    private final @Nullable SmallInternet internet;

    private final List<NodeProcess> workers = new ArrayList<>();
    private @Nullable Publication publication;
    private String modelId = "";

    /**
     * The workers of a demo.
     *
     * @param workers how many
     * @param threads that each computes with
     * @param drainSeconds how long one that is told to leave may wait for its answers
     */
    public record Crew(int workers, int threads, int drainSeconds) {
        /** Workers that leave at once: who ends the demo waits for nobody. */
        public Crew(int workers, int threads) {
            this(workers, threads, 0);
        }
    }

    private DemoPool(
            DemoFolder folder,
            Coordinator coordinator,
            Gateway gateway,
            @Nullable SmallInternet internet) {
        this.folder = folder;
        this.coordinator = coordinator;
        this.gateway = gateway;
        this.internet = internet;
    }

    /**
     * Starts the coordinator; nobody works for it yet.
     *
     * @param policy of the pool
     * @throws DemoException in a sentence, if it cannot be started
     */
    public static DemoPool start(Policy policy) {
        return start(policy, null);
    }

    /**
     * The same.
     *
     * @param internet gives each worker a machine of its own; null: all share this one
     */
    public static DemoPool start(Policy policy, @Nullable SmallInternet internet) {
        try {
            DemoFolder folder = DemoFolder.make(Path.of(System.getProperty("java.io.tmpdir")));
            try {
                return start(folder, policy, internet);
            } catch (CoordinatorException | GatewayException e) {
                folder.close();
                throw new DemoException(String.valueOf(e.getMessage()), e);
            }
        } catch (IOException e) {
            throw new DemoException("No temporary folder can be made: " + e.getMessage() + ".", e);
        }
    }

    private static DemoPool start(
            DemoFolder folder, Policy policy, @Nullable SmallInternet internet) {
        Coordinator coordinator =
                Coordinator.start(
                        CoordinatorOptions.single("demo", folder.path().resolve("coordinator"))
                                .withPolicy(policy));
        try {
            String host = internet == null ? LOOPBACK : internet.here();
            return new DemoPool(folder, coordinator, gateway(coordinator, host), internet);
        } catch (GatewayException e) {
            coordinator.close();
            throw e;
        }
    }

    /** At the default port, or at a free one where that is taken. */
    private static Gateway gateway(Coordinator coordinator, String host) {
        GatewayOptions usual = GatewayOptions.defaults();
        try {
            return Gateway.start(coordinator, usual.at(host, usual.port()));
        } catch (GatewayException taken) {
            return Gateway.start(coordinator, usual.at(host, 0));
        }
    }

    /**
     * Starts workers, waits until all have reported, publishes the model, and waits until it is
     * served.
     *
     * @param launcher bin/sahkar of the distribution
     * @param model a GGUF file
     * @param crew the workers to start
     * @param stages how many parts the model is cut into at least
     * @param step is told what is done next
     * @throws DemoException in a sentence, if that fails or takes too long
     */
    public void serve(Path launcher, Path model, Crew crew, int stages, Consumer<String> step)
            throws InterruptedException {
        try {
            step.accept("starting %d workers".formatted(crew.workers()));
            long memory = Files.size(model) + KV_BYTES;
            for (int i = 1; i <= crew.workers(); i++) {
                start(prepared(launcher, "worker-" + i, crew, memory));
            }
            await("the workers to report", () -> present() == crew.workers());
            step.accept("publishing " + model.getFileName());
            PublishOptions options =
                    PublishOptions.local(List.of(address()))
                            .withMinStages(stages)
                            .withBind(new InetSocketAddress(host(), 0), host());
            publication = Publisher.publish(model, options, Progress.NONE);
            modelId = publication.modelId();
            step.accept("workers fetch and load their parts");
            await("the model to be served", this::whole);
        } catch (IOException | StoreException e) {
            throw new DemoException(String.valueOf(e.getMessage()), e);
        }
    }

    private NodeProcess prepared(Path launcher, String id, Crew crew, long memory)
            throws IOException {
        if (internet != null) {
            internet.join(id);
        }
        return NodeProcess.prepare(launcher, id, crew, address(), memory, folder.path(), internet);
    }

    private synchronized void start(NodeProcess worker) throws IOException {
        worker.start();
        workers.add(worker);
    }

    /**
     * Kills a worker without warning, as a power cut would.
     *
     * @param id of a worker of this demo
     */
    public synchronized void kill(String id) {
        worker(id).kill();
    }

    /** Tells a worker to leave, as Ctrl-C does. */
    public void dismiss(String id) {
        signal(id, "TERM");
    }

    /** Waits until a worker's process has ended. */
    public void awaitGone(String id) throws InterruptedException {
        await(id + " to leave", () -> !alive(id));
    }

    private synchronized boolean alive(String id) {
        return worker(id).alive();
    }

    /**
     * Starts a killed worker again and waits until every worker serves all that it should.
     *
     * @throws DemoException in a sentence, if that fails or takes too long
     */
    public void revive(String id) throws InterruptedException {
        try {
            synchronized (this) {
                worker(id).start();
            }
        } catch (IOException e) {
            throw new DemoException(
                    "%s cannot be started again: %s.".formatted(id, e.getMessage()), e);
        }
        await(id + " to serve again", this::whole);
    }

    /** Stops a worker's process; it keeps its connections. */
    public void pause(String id) {
        signal(id, "STOP");
    }

    /** Lets a stopped worker go on, and waits until every worker serves all that it should. */
    public void resume(String id) throws InterruptedException {
        signal(id, "CONT");
        await(id + " to serve again", this::whole);
    }

    /**
     * From now on what one worker sends to another is lost; the way back stays. Only where each has
     * a machine of its own.
     */
    public void cut(String from, String to) {
        try {
            network().drop(from, to);
        } catch (IOException e) {
            throw new DemoException("The network cannot be cut: " + e.getMessage() + ".", e);
        }
    }

    /** Lets everything through again, and waits until every worker serves all that it should. */
    public void mend() throws InterruptedException {
        try {
            network().heal();
        } catch (IOException e) {
            throw new DemoException("The network cannot be mended: " + e.getMessage() + ".", e);
        }
        await("the network to be whole", this::whole);
    }

    private SmallInternet network() {
        if (internet == null) {
            throw new IllegalStateException("the workers share one machine");
        }
        return internet;
    }

    private synchronized void signal(String id, String name) {
        try {
            worker(id).signal(name);
        } catch (IOException e) {
            throw new DemoException("No signal can be sent: " + e.getMessage() + ".", e);
        }
    }

    /** Waits until every worker serves one part and can be reached, and each has two holders. */
    public void awaitSpares() throws InterruptedException {
        await("a second holder for every part", () -> whole() && spared(workers()));
    }

    private static boolean spared(List<WorkerStatus> crew) {
        Map<Integer, Integer> holders = new TreeMap<>();
        for (WorkerStatus worker : crew) {
            if (worker.getShardsCount() != 1 || !ROUTABLE.contains(worker.getReach())) {
                return false;
            }
            holders.merge(worker.getShards(0).getSpan().getFirst(), 1, Integer::sum);
        }
        return holders.values().stream().allMatch(count -> count > 1);
    }

    /** Waits until every worker that is here has reported anew, and that it has no session. */
    public void awaitIdle() throws InterruptedException {
        long begun = System.nanoTime();
        long end = begun + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (busy(begun) && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    private boolean busy(long sinceNanos) {
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sinceNanos);
        return workers().stream()
                .filter(WorkerStatus::getPresent)
                .filter(worker -> worker.getSilentMillis() < MOST_SILENT_MILLIS)
                .anyMatch(worker ->
                        worker.getSilentMillis() >= millis
                                || worker.getShardsList().stream()
                                        .anyMatch(shard -> shard.getSessions() > 0));
    }

    private NodeProcess worker(String id) {
        return workers.stream()
                .filter(worker -> worker.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new DemoException(id + " is no worker of this demo."));
    }

    /** Whether the model is served, every worker is here, and each serves all that it should. */
    private boolean whole() {
        List<WorkerStatus> crew = coordinator.status().getWorkersList();
        return ready() && crew.stream().allMatch(DemoPool::settled);
    }

    private static boolean settled(WorkerStatus worker) {
        long serving =
                worker.getShardsList().stream()
                        .filter(shard -> shard.getState() == ShardState.SHARD_STATE_SERVING)
                        .count();
        return worker.getPresent() && serving == worker.getAssignedCount();
    }

    /** Where the coordinator listens, host:port. */
    public String address() {
        return host() + ":" + gateway.port();
    }

    private String host() {
        return internet == null ? LOOPBACK : internet.here();
    }

    /** Where the gateway listens. */
    public String url() {
        return gateway.url();
    }

    /** The published model's id. */
    public String modelId() {
        return modelId;
    }

    /** The chain of workers as a picture. */
    public String picture() {
        List<ChainPicture.Link> chain = new ArrayList<>();
        for (WorkerStatus worker : coordinator.status().getWorkersList()) {
            String id = worker.getHello().getWorkerId();
            for (ShardReport shard : worker.getShardsList()) {
                if (shard.getState() == ShardState.SHARD_STATE_SERVING) {
                    Span span = new Span(shard.getSpan().getFirst(), shard.getSpan().getEnd());
                    chain.add(new ChainPicture.Link(id, pid(id), span));
                }
            }
        }
        chain.sort(Comparator.comparing(ChainPicture.Link::span));
        return ChainPicture.draw(chain);
    }

    /** Where models and the like may be put for the time of the demo. */
    public Path folder() {
        return folder.path();
    }

    /** Every worker as it last reported. */
    public List<WorkerStatus> workers() {
        return coordinator.status().getWorkersList();
    }

    /** The last repairs of routes, newest first. */
    public List<RepairStatus> repairs() {
        return coordinator.status().getRepairs().getLastList();
    }

    /** The process id of a worker of this demo; 0 for any other. */
    public synchronized long pid(String id) {
        return workers.stream()
                .filter(worker -> worker.id().equals(id))
                .mapToLong(NodeProcess::pid)
                .findFirst()
                .orElse(0);
    }

    private long present() {
        return coordinator.status().getWorkersList().stream()
                .filter(WorkerStatus::getPresent)
                .count();
    }

    private boolean ready() {
        return coordinator.models().stream()
                .filter(model -> model.getModelId().equals(modelId))
                .anyMatch(ModelStatus::getReady);
    }

    private void await(String what, BooleanSupplier done) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (!done.getAsBoolean()) {
            firstDead();
            if (System.nanoTime() > end) {
                throw new DemoException(
                        "Waiting for %s took more than %d seconds.%s"
                                .formatted(what, START_SECONDS, explanations()));
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    private synchronized void firstDead() {
        for (NodeProcess worker : workers) {
            if (!worker.alive()) {
                throw new DemoException(
                        "%s ended too early. It said:\n%s"
                                .formatted(worker.id(), worker.lastWords()));
            }
        }
    }

    private String explanations() {
        Function<ModelStatus, String> line = model -> " " + model.getExplanation();
        return String.join("", coordinator.models().stream().map(line).toList());
    }

    @Override
    public void close() {
        synchronized (this) {
            workers.forEach(NodeProcess::tellToEnd);
            workers.forEach(NodeProcess::close);
        }
        if (publication != null) {
            publication.close();
        }
        gateway.close();
        coordinator.close();
        folder.close();
    }
}
