package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.Secret;
import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.coordinator.routing.RepairDesk;
import coop.sahkar.coordinator.routing.Repairs;
import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RelayEndpoint;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.SignedTicket;
import io.grpc.Deadline;
import java.security.SecureRandom;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Runs generations for HTTP and gRPC alike, each from the request to the last event. Who is let in
 * when, its {@link Admission} says. Thread-safe.
 */
final class GenerationRunner implements AutoCloseable {
    private final GatewayPool pool;
    private final Patience patience;
    private final HeadChannels heads;
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("gateway-timer").factory());
    private final Admission admission;
    private final Conversations conversations = new Conversations(GatewayLimits.MAX_RESTING_CHATS);
    private final Secret chatKey = Secret.draw(new SecureRandom());
    private final Set<GenerationRun> running = ConcurrentHashMap.newKeySet();
    private volatile boolean closing;

    GenerationRunner(GatewayPool pool, Patience patience) {
        this.pool = pool;
        this.patience = patience;
        this.heads = new HeadChannels(pool.transport());
        this.admission = new Admission(pool, timer, GenerationRunner::monotonicMillis);
    }

    /**
     * Starts a generation. Every outcome, refusals included, is told to the listener.
     *
     * @param caller whom it takes its turn for when there is no room
     * @param deadline when the caller gives up; null for never
     */
    void start(
            GenerateRequest request,
            Caller caller,
            @Nullable Deadline deadline,
            GenerationListener listener) {
        GenerateRequest bounded = RequestRules.bounded(request, pool.defaultAnswerTokens());
        GenerationRun run = new GenerationRun(this, bounded, caller, deadline, listener);
        Problem refusal = admit(request, caller.tier().contextTokens());
        if (refusal == null) {
            running.add(run);
            run.begin();
        } else {
            listener.begun(run);
            run.fail(refusal);
        }
    }

    /** Generations under way; those that wait for room are not. */
    int running() {
        return admission.inside();
    }

    /** Requests that wait for room. */
    int waiting() {
        return admission.waiting();
    }

    /** The ticket of a session that goes on here; null if nobody of the pool has signed it. */
    @Nullable Ticket ticketOf(SignedTicket signed) {
        return pool.ticketOf(signed);
    }

    /** Unix time from which a model is withdrawn; 0 when it stays. */
    long goneAtMillis(String model) {
        return pool.goneAtMillis(model);
    }

    /** Signs a ticket for whoever goes on with its session. */
    @Nullable SealedTicket seal(Ticket ticket) {
        return pool.seal(ticket);
    }

    /** Where the coordinators are reached. */
    List<String> coordinators() {
        return pool.coordinators();
    }

    private @Nullable Problem admit(GenerateRequest request, int tierContext) {
        Problem wrong = RequestRules.check(request);
        if (wrong == null && request.hasResume()) {
            wrong =
                    ResumePoints.fault(
                            request.getResume(),
                            ticketOf(request.getResume().getPoint().getTicket()));
        }
        if (wrong == null) {
            int context = pool.contextLength(request.getModel());
            wrong =
                    RequestRules.checkLength(
                            request, tierContext == 0 ? context : Math.min(context, tierContext));
        }
        if (wrong != null) {
            return wrong;
        }
        return closing ? Problems.coordinatorStops() : null;
    }

    /** A run is over. */
    void ended(GenerationRun run) {
        running.remove(run);
        admission.left(run);
    }

    /** Where earlier turns of a request rest, and where this one will; null where none may. */
    @Nullable NextTurn nextTurn(String account, GenerateRequest request) {
        int restMillis = pool.restingSessionMillis();
        if (restMillis == 0) {
            return null;
        }
        return NextTurn.of(
                conversations, Trail.of(chatKey, account, request), restMillis, monotonicMillis());
    }

    /** Counts what a generation delivers. */
    GenerationMeter meter(String account, GenerateRequest request) {
        return new GenerationMeter(pool.usage(), account, request);
    }

    private static long monotonicMillis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    Admission admission() {
        return admission;
    }

    RouteDesk routes() {
        return pool.routes();
    }

    /** Where a stage is dialled, {@code host:port}: for a relayed one, a door of this process. */
    String address(RouteStage stage) {
        return RelayEndpoint.read(stage.endpoint())
                .flatMap(relayed -> pool.relayDoor(relayed.workerId()))
                .map(door -> door.getAddress().getHostAddress() + ":" + door.getPort())
                .orElse(stage.endpoint());
    }

    RepairDesk repairs() {
        return pool.repairs();
    }

    Repairs repairLog() {
        return pool.repairLog();
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
        admission.close();
        long end = System.nanoTime() + patience.drainMillis() * 1_000_000L;
        try {
            while (!running.isEmpty() && System.nanoTime() - end < 0) {
                Thread.sleep(20);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        for (GenerationRun run : running) {
            run.leave(
                    Problem.of(
                            Problem.Kind.NOT_LEADER,
                            "The coordinator stopped in the middle of the answer; ask again."));
        }
        heads.close();
        timer.shutdownNow();
    }
}
