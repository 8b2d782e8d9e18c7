package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.routing.RepairDesk;
import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.GenerateRequest;
import io.grpc.Deadline;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Runs generations for HTTP and gRPC alike: admits up to a number of them, and refuses the rest at
 * once. Thread-safe.
 */
final class GenerationRunner implements AutoCloseable {
    /** What a caller who was refused is told to wait. */
    static final int RETRY_AFTER_MILLIS = 1_000;

    private final GatewayPool pool;
    private final Patience patience;
    private final HeadChannels heads = new HeadChannels();
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("gateway-timer").factory());
    private final AtomicInteger admitted = new AtomicInteger();
    private final Set<GenerationRun> running = ConcurrentHashMap.newKeySet();
    private volatile boolean closing;

    GenerationRunner(GatewayPool pool, Patience patience) {
        this.pool = pool;
        this.patience = patience;
    }

    /**
     * Starts a generation. Every outcome, refusals included, is told to the listener.
     *
     * @param deadline when the caller gives up; null for never
     */
    void start(GenerateRequest request, @Nullable Deadline deadline, GenerationListener listener) {
        GenerateRequest bounded = RequestRules.bounded(request, pool.defaultAnswerTokens());
        GenerationRun run = new GenerationRun(this, bounded, deadline, listener);
        Problem refusal = admit(request);
        if (refusal == null) {
            running.add(run);
            run.begin();
        } else {
            listener.begun(run);
            run.fail(refusal);
        }
    }

    /** Generations under way. */
    int running() {
        return running.size();
    }

    private @Nullable Problem admit(GenerateRequest request) {
        Problem wrong = RequestRules.check(request);
        if (wrong != null) {
            return wrong;
        }
        if (closing) {
            return new Problem(
                    Problem.Kind.NOT_LEADER,
                    "This coordinator is stopping; ask another one, or try again soon.",
                    "",
                    RETRY_AFTER_MILLIS);
        }
        int most = pool.maxConcurrentGenerations();
        if (admitted.incrementAndGet() > most) {
            admitted.decrementAndGet();
            return new Problem(
                    Problem.Kind.OVERLOADED,
                    "%d generations are running, as many as this coordinator allows; try again soon."
                            .formatted(most),
                    "",
                    RETRY_AFTER_MILLIS);
        }
        return null;
    }

    /** A run is over. */
    void ended(GenerationRun run) {
        if (running.remove(run)) {
            admitted.decrementAndGet();
        }
    }

    RouteDesk routes() {
        return pool.routes();
    }

    RepairDesk repairs() {
        return pool.repairs();
    }

    Patience patience() {
        return patience;
    }

    HeadChannels heads() {
        return heads;
    }

    ScheduledExecutorService timer() {
        return timer;
    }

    /** Takes nothing new, lets what runs go on for a while, then ends it. */
    @Override
    public void close() {
        closing = true;
        long end = System.nanoTime() + patience.drainMillis() * 1_000_000L;
        try {
            while (!running.isEmpty() && System.nanoTime() - end < 0) {
                Thread.sleep(20);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        for (GenerationRun run : running) {
            run.fail(
                    Problem.of(
                            Problem.Kind.WORKER_LOST,
                            "The coordinator stopped in the middle of the answer; ask again."));
        }
        heads.close();
        timer.shutdownNow();
    }
}
