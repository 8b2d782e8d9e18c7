package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.accounts.Gate;
import coop.sahkar.coordinator.routing.RepairDesk;
import coop.sahkar.coordinator.routing.Repairs;
import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.coordinator.usage.UsageDesk;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.SignedTicket;
import io.grpc.BindableService;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the gateway needs of a coordinator. Every method answers from memory, without waiting. */
public interface GatewayPool {
    /** Draws routes. */
    RouteDesk routes();

    /** Who may ask, and how much. */
    Gate gate();

    /** Draws the next routes of running generations. */
    RepairDesk repairs();

    /** Is told of the repairs that the gateway itself begins, and of those that worked. */
    Repairs repairLog();

    /** Who pays for callers, whose turn weighs how much, and where use is counted. */
    UsageDesk usage();

    /** Every published model, by name. */
    List<ModelStatus> models();

    /** The models that {@code idOrName} can mean: none, one, or several of the same name. */
    default List<ModelStatus> modelsNamed(String idOrName) {
        List<ModelStatus> all = models();
        List<ModelStatus> exact =
                all.stream().filter(model -> model.getModelId().equals(idOrName)).toList();
        return exact.isEmpty()
                ? all.stream().filter(model -> model.getName().equals(idOrName)).toList()
                : exact;
    }

    /** How the pool fares. */
    PoolStatus status();

    /** Whether the coordinator knows a leader and has applied what was committed. */
    boolean ready();

    /** How this process speaks with workers, and who may speak with it. */
    default Transport transport() {
        return Transport.OPEN;
    }

    /** The coordinator's own gRPC services, served beside the gateway's. */
    List<BindableService> services();

    /** Where this process reaches a worker that its coordinator relays to; empty for any other. */
    default Optional<InetSocketAddress> relayDoor(String workerId) {
        return Optional.empty();
    }

    /**
     * The ticket of a session that some coordinator of the pool has signed, also one that expired
     * not too long ago; null if nobody has.
     */
    default @Nullable Ticket ticketOf(SignedTicket signed) {
        return null;
    }

    /** Signs a ticket for whoever goes on with its session; null where nobody can sign. */
    default @Nullable SealedTicket seal(Ticket ticket) {
        return null;
    }

    /** Where the pool's coordinators are reached, {@code host:port}. */
    default List<String> coordinators() {
        return List.of();
    }

    /**
     * Whether workers of a model have not been heard of since this coordinator started, a moment
     * ago: they are likely to serve on.
     *
     * @param model its id, or a name that only one model has
     */
    default boolean awaitsWorkers(String model) {
        return false;
    }

    /**
     * Unix time from which a model is withdrawn, in milliseconds; 0 when it stays.
     *
     * @param model its id, or a name that only one model has
     */
    default long goneAtMillis(String model) {
        return 0;
    }

    /** Most generations that may run through this gateway at once. */
    int maxConcurrentGenerations();

    /** Most requests that may wait for room at once. */
    int maxWaitingGenerations();

    /** How long a request may wait for room. */
    int maxWaitMillis();

    /** Most tokens of an answer whose caller set no length. */
    int defaultAnswerTokens();

    /** How long workers may keep a finished chat for its next turn; 0: not at all. */
    int restingSessionMillis();

    /**
     * Most tokens, prompt and answer together, that a session of a model may hold.
     *
     * @param model its id, or a name that only one model has
     * @return 0 if there is no such model
     */
    int contextLength(String model);
}
