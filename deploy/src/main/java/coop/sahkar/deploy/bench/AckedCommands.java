package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.demo.ClusterPool;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.v1.CoordinatorMessage;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.WorkerControlGrpc;
import coop.sahkar.proto.v1.WorkerHello;
import coop.sahkar.proto.v1.WorkerMessage;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Writes to the log through all coordinators in turn and remembers what was acknowledged: workers
 * that lend one byte register and leave. Several write at once, so that one that waits for an
 * answer does not keep the others from being answered.
 */
final class AckedCommands implements AutoCloseable {
    private static final int WRITERS = 3;
    private static final int PAUSE_MILLIS = 500;
    private static final int AGAIN_MILLIS = 100;
    private static final int ANSWER_MILLIS = 10_000;
    private static final int LONG_MILLIS = 3_000;
    private static final String PREFIX = "probe-";

    private final ClusterPool pool;
    private final Consumer<String> step;
    private final List<Thread> writers = new ArrayList<>();
    private final Set<String> acked = new TreeSet<>(); // guarded by this
    private final List<Double> waitMillis = new ArrayList<>(); // guarded by this
    private long lastAckNanos; // guarded by this
    private long longestGapNanos; // guarded by this
    private int refused; // guarded by this
    private volatile boolean over;

    /**
     * @param step is told of commands that took long
     */
    AckedCommands(ClusterPool pool, Consumer<String> step) {
        this.pool = pool;
        this.step = step;
    }

    void start() {
        synchronized (this) {
            lastAckNanos = System.nanoTime();
        }
        for (int i = 0; i < WRITERS; i++) {
            int writer = i;
            writers.add(Thread.ofVirtual().name("writer-" + i).start(() -> write(writer)));
        }
    }

    private void write(int writer) {
        for (int turn = writer; !over; turn++) {
            try {
                acknowledged(PREFIX + "%d-%06d".formatted(writer, turn), turn);
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** Sends one command to one coordinator after the other until one acknowledges it. */
    private void acknowledged(String id, int turn) throws InterruptedException {
        long begun = System.nanoTime();
        List<String> tried = new ArrayList<>();
        for (int i = 0; !over; i++) {
            List<String> coordinators = pool.ids();
            String coordinator = coordinators.get((turn + i) % coordinators.size());
            long asked = System.nanoTime();
            String said = register(id, coordinator);
            long now = System.nanoTime();
            tried.add("%s after %.0f ms: %s".formatted(coordinator, (now - asked) / 1e6, said));
            if (said.isEmpty()) {
                took(id, begun, now, tried);
                return;
            }
            synchronized (this) {
                refused++;
            }
            TimeUnit.MILLISECONDS.sleep(AGAIN_MILLIS);
        }
    }

    private synchronized void took(String id, long begun, long now, List<String> tried) {
        longestGapNanos = Math.max(longestGapNanos, now - lastAckNanos);
        lastAckNanos = now;
        acked.add(id);
        waitMillis.add((now - begun) / 1e6);
        if (now - begun > TimeUnit.MILLISECONDS.toNanos(LONG_MILLIS)) {
            step.accept(
                    "a command was acknowledged after %.0f ms; asked were %s"
                            .formatted((now - begun) / 1e6, tried));
        }
    }

    /** Empty if it was acknowledged, else why not. */
    private String register(String id, String coordinator) {
        CompletableFuture<String> said = new CompletableFuture<>();
        StreamObserver<WorkerMessage> hello =
                WorkerControlGrpc.newStub(pool.channel(coordinator))
                        .withDeadlineAfter(ANSWER_MILLIS, TimeUnit.MILLISECONDS)
                        .attach(new Answer(said));
        hello.onNext(
                WorkerMessage.newBuilder()
                        .setHello(
                                WorkerHello.newBuilder()
                                        .setProtocol(ProtocolVersions.ours())
                                        .setWorkerId(id)
                                        .setEndpoint("127.0.0.1:1")
                                        .setSoftware("probe")
                                        .setMemoryBytes(1)
                                        .setDecodeBytesPerSecond(1)
                                        .setThreads(1))
                        .build());
        try {
            return said.get(ANSWER_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            return "no answer";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        } finally {
            hello.onCompleted();
        }
    }

    /** Hears whether the registration was acknowledged. */
    private record Answer(CompletableFuture<String> said)
            implements StreamObserver<CoordinatorMessage> {
        @Override
        public void onNext(CoordinatorMessage message) {
            said.complete(message.hasWelcome() ? "" : message.getRefused().getMessage());
        }

        @Override
        public void onError(Throwable failure) {
            said.complete(String.valueOf(failure.getMessage()));
        }

        @Override
        public void onCompleted() {
            said.complete("ended");
        }
    }

    /** The longest time without an acknowledgement of any, pauses of the writers included. */
    synchronized double longestGapMillis() {
        return longestGapNanos / 1e6;
    }

    /** How long each command took that was acknowledged, tries in vain included. */
    synchronized List<Double> waitMillis() {
        return List.copyOf(waitMillis);
    }

    /** How many were acknowledged. */
    synchronized int acknowledged() {
        return acked.size();
    }

    /** Tries in vain: the coordinator was away, or knew no leader for too long. */
    synchronized int refused() {
        return refused;
    }

    /** Those among them that some coordinator does not know. */
    List<String> lost() {
        Set<String> lost = new TreeSet<>();
        for (String id : pool.ids()) {
            Optional<PoolStatus> status = pool.status(id);
            Set<String> known =
                    status.stream()
                            .flatMap(s -> s.getWorkersList().stream())
                            .map(worker -> worker.getHello().getWorkerId())
                            .collect(Collectors.toCollection(TreeSet::new));
            synchronized (this) {
                acked.stream().filter(one -> !known.contains(one)).forEach(lost::add);
            }
        }
        return new ArrayList<>(lost);
    }

    /** Writes no more. */
    void end() {
        close();
    }

    @Override
    public void close() {
        over = true;
        try {
            for (Thread writer : writers) {
                writer.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
