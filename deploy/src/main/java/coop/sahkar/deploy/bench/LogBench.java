package coop.sahkar.deploy.bench;

import com.google.protobuf.ByteString;
import coop.sahkar.coordinator.log.ManifestReader;
import coop.sahkar.coordinator.raft.RaftNode;
import coop.sahkar.coordinator.raft.RatisLog;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.Command.PostUsage;
import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.ModelManifest;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.governance.ledger.UsageBatch;
import coop.sahkar.governance.ledger.Work;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.Blob;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.TensorEntryMessage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * How much the coordinators' log takes: three nodes with a disk each under one folder, in one
 * process, and the commands of a large pool. Each kind is written as fast as it goes, and then all
 * at the rates that the pool needs. A refusal ends it: only what changed the state counts.
 */
public final class LogBench implements AutoCloseable {
    private static final List<String> NODES = List.of("c1", "c2", "c3");
    private static final int START_MILLIS = 30_000;
    private static final int BLOCKS = 80;
    private static final int FILLERS = 64;
    private static final long GIGA = 1_000_000_000L;

    private final Plan plan;
    private final Consumer<String> step;
    private final AtomicLong ids = new AtomicLong();
    private final AtomicLong restarts = new AtomicLong();
    private final AtomicLong generations = new AtomicLong();
    private final List<AtomicLong> sequences =
            List.of(new AtomicLong(), new AtomicLong(), new AtomicLong());
    private final List<RatisLog> nodes = new ArrayList<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final ModelManifest model = model();

    /**
     * What is to be done.
     *
     * @param workers in the pool
     * @param requestsPerSecond by as many accounts
     * @param writers of small commands at once
     * @param seconds for each part
     */
    public record Plan(int workers, int requestsPerSecond, int writers, int seconds) {}

    /**
     * @param folder empty; the logs are written there
     * @param step is told what is done next
     */
    public LogBench(Plan plan, Path folder, Consumer<String> step) throws IOException {
        this.plan = plan;
        this.step = step;
        List<RaftNode.Address> addresses = new ArrayList<>();
        for (String id : NODES) {
            addresses.add(new RaftNode.Address(id, "127.0.0.1", freePort()));
        }
        List<CompletableFuture<RatisLog>> starting =
                addresses.stream()
                        .map(self ->
                                CompletableFuture.supplyAsync(
                                        () -> start(self, addresses, folder), threads))
                        .toList();
        try {
            starting.forEach(one -> nodes.add(one.join()));
        } catch (CompletionException e) {
            threads.close();
            for (CompletableFuture<RatisLog> one : starting) {
                var _ = one.thenAccept(RatisLog::close);
            }
            throw new BenchException("The log cannot be started: " + e.getMessage(), e);
        }
    }

    private RatisLog start(RaftNode.Address self, List<RaftNode.Address> all, Path folder) {
        return RatisLog.start(
                new RaftNode(RaftNode.UNNAMED, self, all, false),
                folder.resolve(self.id()),
                () -> new CommandId(1, ids.incrementAndGet()),
                START_MILLIS,
                Transport.OPEN);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Some seconds for each part, and those it takes to fill the pool. */
    public LogFigures run() {
        try {
            step.accept("filling the state with %,d workers".formatted(plan.workers()));
            propose(0, new PublishModel(model, List.of("sahkar://127.0.0.1:1"), 1, 1));
            fill();
            List<LogFigures.Kind> fast = new ArrayList<>();
            List<LogFigures.Kind> needed = new ArrayList<>();
            step.accept("writing each kind of command as fast as it goes");
            for (Load load : loads()) {
                fast.add(write(load, 0).kind());
            }
            step.accept("writing all of them as often as the pool needs it");
            List<CompletableFuture<Written>> beside =
                    loads().stream()
                            .map(load ->
                                    CompletableFuture.supplyAsync(
                                            () -> write(load, load.needed()), threads))
                            .toList();
            beside.forEach(one -> needed.add(one.join().kind()));
            return new LogFigures(plan, fast, needed, loads().stream().map(Load::needed).toList());
        } catch (LogUnavailableException | CompletionException e) {
            throw new BenchException("The log gave up: " + e.getMessage(), e);
        }
    }

    /**
     * Commands of one kind.
     *
     * @param name for people
     * @param writers at once
     * @param needed how many the pool writes in a second
     * @param write writes one, as the writer of that number
     */
    private record Load(String name, int writers, double needed, IntConsumer write) {}

    private record Written(String name, double seconds, List<Double> millis) {
        LogFigures.Kind kind() {
            return LogFigures.Kind.of(name, seconds, millis);
        }
    }

    private List<Load> loads() {
        return List.of(
                new Load("small", plan.writers(), LogFigures.smallNeeded(plan), this::restart),
                new Load("usage", NODES.size(), LogFigures.usageNeeded(plan), this::usage),
                new Load("placement", 1, LogFigures.placementsNeeded(), _ -> place()));
    }

    /** A worker registers anew. */
    private void restart(int writer) {
        long number = restarts.incrementAndGet();
        int worker = (int) (number % plan.workers());
        propose(writer, new RegisterWorker(worker(worker, number)));
    }

    /** One coordinator's batch, as long as it may be. */
    private void usage(int writer) {
        int half = UsageBatch.MAX_ENTRIES / 2;
        long sequence = sequences.get(writer).incrementAndGet();
        SortedMap<String, Work> payers = new TreeMap<>();
        SortedMap<String, Work> workers = new TreeMap<>();
        for (int i = 0; i < half; i++) {
            payers.put("account-%05d".formatted(i), new Work(1000, 500));
            workers.put("w%05d".formatted(i % plan.workers()), Work.NONE);
        }
        workers.replaceAll((_, _) -> new Work(1000, 500));
        long missing = (long) half - workers.size();
        Work unproven = new Work(1000 * missing, 500 * missing);
        String coordinator = NODES.get(writer);
        propose(
                writer,
                new PostUsage(
                        new UsageBatch(
                                coordinator, 1, sequence, sequence, payers, workers, unproven)));
    }

    /** Another plan for the whole pool, through whoever leads, as the product does. */
    private void place() {
        long generation = generations.incrementAndGet();
        SortedMap<String, List<AssignedShard>> assignments = new TreeMap<>();
        for (int i = 0; i < plan.workers(); i++) {
            int block = (int) ((i + generation) % BLOCKS);
            Span span = new Span(block, block + 1);
            assignments.put(name(i), List.of(new AssignedShard(model.id(), span, 4096)));
        }
        int leader = 0;
        for (int i = 0; i < nodes.size(); i++) {
            leader = nodes.get(i).leads() ? i : leader;
        }
        propose(leader, new AdoptPlacement(new Placement(generation, generation - 1, assignments)));
    }

    private void fill() {
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int filler = 0; filler < FILLERS; filler++) {
            int first = filler;
            all.add(
                    CompletableFuture.runAsync(
                            () -> {
                                for (int i = first; i < plan.workers(); i += FILLERS) {
                                    propose(i, new RegisterWorker(worker(i, 0)));
                                }
                            },
                            threads));
        }
        all.forEach(CompletableFuture::join);
    }

    private void propose(int writer, Command command) {
        nodes.get(writer % nodes.size())
                .propose(command)
                .ifPresent(refusal -> {
                    throw new BenchException("A command was refused: " + refusal.message());
                });
    }

    /**
     * @param perSecond by all writers together; 0 for as many as go
     */
    private Written write(Load load, double perSecond) {
        ConcurrentLinkedQueue<Double> millis = new ConcurrentLinkedQueue<>();
        long begun = System.nanoTime();
        long length = TimeUnit.SECONDS.toNanos(plan.seconds());
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (int i = 0; i < load.writers(); i++) {
            int writer = i;
            long pause = perSecond == 0 ? 0 : (long) (load.writers() / perSecond * 1e9);
            long first = begun + pause * writer / load.writers();
            writers.add(
                    CompletableFuture.runAsync(
                            () -> keepWriting(load, writer, first, pause, begun + length, millis),
                            threads));
        }
        writers.forEach(CompletableFuture::join);
        double seconds = (System.nanoTime() - begun) / 1e9;
        return new Written(load.name(), seconds, List.copyOf(millis));
    }

    /** At its own times, however long the one before took: who comes late has waited. */
    private static void keepWriting(
            Load load,
            int writer,
            long firstNanos,
            long pauseNanos,
            long endNanos,
            ConcurrentLinkedQueue<Double> millis) {
        long due = firstNanos;
        while (Math.max(due, System.nanoTime()) < endNanos) {
            try {
                TimeUnit.NANOSECONDS.sleep(Math.max(0, due - System.nanoTime()));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            long from = pauseNanos == 0 ? System.nanoTime() : due;
            load.write().accept(writer);
            millis.add((System.nanoTime() - from) / 1e6);
            due += pauseNanos;
        }
    }

    private static String name(int worker) {
        return "w%05d".formatted(worker);
    }

    private static WorkerRecord worker(int number, long atMillis) {
        return new WorkerRecord(
                name(number),
                "worker-%05d.example.org:40000".formatted(number),
                "0.1.0",
                "llama.cpp b4916",
                16 * GIGA,
                20 * GIGA,
                4,
                atMillis);
    }

    private static ModelManifest model() {
        Manifest.Builder manifest =
                Manifest.newBuilder()
                        .setName("model")
                        .setDigest(ByteString.copyFrom(new byte[32]))
                        .setArchitecture("llama")
                        .setBlockCount(BLOCKS)
                        .setWidth(64)
                        .setVocabulary(32)
                        .setContextLength(4096)
                        .setQuantization("F32")
                        .setGrain(1)
                        .setOldestLlama("b4916")
                        .setGgufVersion(3)
                        .setKvBytesPerPositionPerBlock(16);
        long offset = add(manifest, "token_embd.weight", 1024, List.of(64L, 32L));
        for (int i = 0; i < BLOCKS; i++) {
            offset = add(manifest, "blk." + i + ".attn_q.weight", offset, List.of(64L, 64L));
        }
        offset = add(manifest, "output_norm.weight", offset, List.of(64L));
        Blob head = Blob.newBuilder().setOffset(24).setBytes(1000).setSha256(sha()).build();
        return ManifestReader.read(
                manifest.setFileBytes(offset).setKeyValues(head).build().toByteArray());
    }

    private static ByteString sha() {
        return ByteString.copyFrom(new byte[32]);
    }

    private static long add(Manifest.Builder manifest, String name, long offset, List<Long> shape) {
        long bytes = shape.stream().reduce(4L, (a, b) -> a * b);
        manifest.addTensors(
                TensorEntryMessage.newBuilder()
                        .setName(name)
                        .addAllShape(shape)
                        .setData(
                                Blob.newBuilder()
                                        .setOffset(offset)
                                        .setBytes(bytes)
                                        .setSha256(sha())));
        return offset + bytes;
    }

    @Override
    public void close() {
        nodes.forEach(RatisLog::close);
        threads.close();
    }
}
