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
import java.util.stream.Collectors;

/**
 * Writes to the log through all coordinators in turn and remembers what was acknowledged: workers
 * that lend one byte register and leave. One thread writes.
 */
final class AckedCommands implements AutoCloseable {
    private static final int PAUSE_MILLIS = 250;
    private static final int ANSWER_MILLIS = 10_000;
    private static final String PREFIX = "probe-";

    private final ClusterPool pool;
    private final Set<String> acked = new TreeSet<>(); // guarded by this
    private long lastAckNanos; // guarded by this
    private long longestGapNanos; // guarded by this
    private final Thread writer;
    private volatile boolean over;

    AckedCommands(ClusterPool pool) {
        this.pool = pool;
        this.writer = Thread.ofVirtual().name("writer").unstarted(this::write);
    }

    void start() {
        synchronized (this) {
            lastAckNanos = System.nanoTime();
        }
        writer.start();
    }

    private void write() {
        for (int i = 1; !over; i++) {
            String id = PREFIX + "%06d".formatted(i);
            List<String> coordinators = pool.ids();
            if (register(id, coordinators.get(i % coordinators.size()))) {
                synchronized (this) {
                    long now = System.nanoTime();
                    longestGapNanos = Math.max(longestGapNanos, now - lastAckNanos);
                    lastAckNanos = now;
                    acked.add(id);
                }
            }
            try {
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private boolean register(String id, String coordinator) {
        CompletableFuture<Boolean> welcome = new CompletableFuture<>();
        StreamObserver<WorkerMessage> hello =
                WorkerControlGrpc.newStub(pool.channel(coordinator))
                        .withDeadlineAfter(ANSWER_MILLIS, TimeUnit.MILLISECONDS)
                        .attach(new Answer(welcome));
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
            return welcome.get(ANSWER_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            hello.onCompleted();
        }
    }

    /** Hears whether the registration was acknowledged. */
    private record Answer(CompletableFuture<Boolean> welcome)
            implements StreamObserver<CoordinatorMessage> {
        @Override
        public void onNext(CoordinatorMessage message) {
            welcome.complete(message.hasWelcome());
        }

        @Override
        public void onError(Throwable failure) {
            welcome.complete(false);
        }

        @Override
        public void onCompleted() {
            welcome.complete(false);
        }
    }

    /** The longest time without an acknowledgement, pauses of the writer included. */
    synchronized double longestGapMillis() {
        return longestGapNanos / 1e6;
    }

    /** How many were acknowledged. */
    synchronized int acknowledged() {
        return acked.size();
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
            writer.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
