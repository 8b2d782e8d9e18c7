package coop.sahkar.deploy.demo;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.coordinator.CoordinatorOptions;
import coop.sahkar.coordinator.gateway.Gateway;
import coop.sahkar.coordinator.gateway.GatewayException;
import coop.sahkar.coordinator.gateway.GatewayOptions;
import coop.sahkar.governance.Policy;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.ShardState;
import coop.sahkar.proto.v1.WorkerStatus;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.store.Publication;
import coop.sahkar.worker.store.PublishOptions;
import coop.sahkar.worker.store.Publisher;
import coop.sahkar.worker.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
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

    private final DemoFolder folder;
    private final Coordinator coordinator;
    private final Gateway gateway;
    private final List<WorkerProcess> workers = new ArrayList<>();
    private String modelId = "";
    private long lentBytes;
    private @Nullable Path launcher;

    private DemoPool(DemoFolder folder, Coordinator coordinator, Gateway gateway) {
        this.folder = folder;
        this.coordinator = coordinator;
        this.gateway = gateway;
    }

    /**
     * Starts the coordinator; nobody works for it yet.
     *
     * @param policy of the pool
     * @throws DemoException in a sentence, if it cannot be started
     */
    public static DemoPool start(Policy policy) {
        try {
            DemoFolder folder = DemoFolder.make(Path.of(System.getProperty("java.io.tmpdir")));
            try {
                return start(folder, policy);
            } catch (CoordinatorException | GatewayException e) {
                folder.close();
                throw new DemoException(String.valueOf(e.getMessage()), e);
            }
        } catch (IOException e) {
            throw new DemoException("No temporary folder can be made: " + e.getMessage() + ".", e);
        }
    }

    private static DemoPool start(DemoFolder folder, Policy policy) {
        Coordinator coordinator =
                Coordinator.start(
                        CoordinatorOptions.single("demo", folder.path().resolve("coordinator"))
                                .withPolicy(policy));
        try {
            return new DemoPool(folder, coordinator, gateway(coordinator));
        } catch (GatewayException e) {
            coordinator.close();
            throw e;
        }
    }

    /** At the default port, or at a free one where that is taken. */
    private static Gateway gateway(Coordinator coordinator) {
        GatewayOptions usual = GatewayOptions.defaults();
        try {
            return Gateway.start(coordinator, usual);
        } catch (GatewayException taken) {
            return Gateway.start(coordinator, usual.at(usual.host(), 0));
        }
    }

    /**
     * Starts workers, waits until all have reported, publishes the model, and waits until it is
     * served.
     *
     * @param launcher bin/sahkar of the distribution
     * @param model a GGUF file
     * @param count how many workers
     * @param threads of each worker
     * @param step is told what is done next
     * @throws DemoException in a sentence, if that fails or takes too long
     */
    public void serve(Path launcher, Path model, int count, int threads, Consumer<String> step)
            throws InterruptedException {
        try {
            step.accept("starting %d workers".formatted(count));
            long memory = Files.size(model) + KV_BYTES;
            lentBytes = memory;
            for (int i = 1; i <= count; i++) {
                start(
                        WorkerProcess.start(
                                launcher,
                                "worker-" + i,
                                threads,
                                address(),
                                memory,
                                folder.path()));
            }
            await("the workers to report", () -> present() == count);
            step.accept("publishing " + model.getFileName());
            PublishOptions options = PublishOptions.local(List.of(address())).withMinStages(count);
            try (Publication publication = Publisher.publish(model, options, Progress.NONE)) {
                modelId = publication.modelId();
                step.accept("workers fetch and load their parts");
                await("the model to be served", this::ready);
            }
        } catch (IOException | StoreException e) {
            throw new DemoException(String.valueOf(e.getMessage()), e);
        }
    }

    private synchronized void start(WorkerProcess worker) {
        workers.add(worker);
    }

    /** What may happen to a worker. */
    public enum Blow {
        /** Its process is killed. */
        KILL,
        /** Its process is stopped, and keeps its connections. */
        STOP
    }

    /** Starts as many workers more, and waits until each block is served twice. */
    public void addSpares(Path launcher, int count, Consumer<String> step)
            throws InterruptedException {
        step.accept("starting %d spare workers".formatted(count));
        int there = workers().size();
        try {
            for (int i = there + 1; i <= there + count; i++) {
                String id = "worker-" + i;
                start(WorkerProcess.start(launcher, id, 1, address(), lentBytes, folder.path()));
            }
        } catch (IOException e) {
            throw new DemoException(String.valueOf(e.getMessage()), e);
        }
        this.launcher = launcher;
        awaitAll();
    }

    /** Strikes a worker; {@link #revive} brings it back. */
    public synchronized void strike(String id, Blow blow) {
        WorkerProcess worker = process(id);
        switch (blow) {
            case KILL -> {
                workers.remove(worker);
                worker.kill();
            }
            case STOP -> signal(worker, "STOP");
        }
    }

    /** Brings a worker back that was struck. */
    public void revive(String id) {
        Path from = launcher;
        if (pid(id) != 0) {
            signal(process(id), "CONT");
        } else if (from != null) {
            try {
                start(WorkerProcess.start(from, id, 1, address(), lentBytes, folder.path()));
            } catch (IOException e) {
                throw new DemoException(String.valueOf(e.getMessage()), e);
            }
        }
    }

    private static void signal(WorkerProcess worker, String name) {
        try {
            worker.signal(name);
        } catch (IOException e) {
            throw new DemoException("No signal can be sent: " + e.getMessage() + ".", e);
        }
    }

    private synchronized WorkerProcess process(String id) {
        return workers.stream()
                .filter(worker -> worker.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new DemoException("There is no worker " + id + "."));
    }

    /** Waits until every worker serves something, and nothing runs. */
    public void awaitAll() throws InterruptedException {
        await("every worker to serve", () -> serving() == workers.size());
        awaitIdle();
    }

    /** Waits until no worker that is here has a session. */
    public void awaitIdle() throws InterruptedException {
        await(
                "the end of all sessions",
                () ->
                        workers().stream()
                                .filter(WorkerStatus::getPresent)
                                .filter(w -> w.getSilentMillis() < MOST_SILENT_MILLIS)
                                .flatMap(w -> w.getShardsList().stream())
                                .allMatch(shard -> shard.getSessions() == 0));
    }

    private long serving() {
        return coordinator.status().getWorkersList().stream()
                .filter(WorkerStatus::getPresent)
                .filter(w -> w.getSilentMillis() < MOST_SILENT_MILLIS)
                .filter(w ->
                        w.getShardsList().stream()
                                .anyMatch(s -> s.getState() == ShardState.SHARD_STATE_SERVING))
                .count();
    }

    /** Where the coordinator listens, host:port. */
    public String address() {
        return "127.0.0.1:" + gateway.port();
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

    /** The process id of a worker of this demo; 0 for any other. */
    public synchronized long pid(String id) {
        return workers.stream()
                .filter(worker -> worker.id().equals(id))
                .mapToLong(WorkerProcess::pid)
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
        for (WorkerProcess worker : workers) {
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
            workers.forEach(WorkerProcess::tellToEnd);
            workers.forEach(WorkerProcess::close);
        }
        gateway.close();
        coordinator.close();
        folder.close();
    }
}
