package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.PoolStatus;
import io.grpc.BindableService;
import java.util.List;

/** What the gateway needs of a coordinator. Every method answers from memory, without waiting. */
public interface GatewayPool {
    /** Draws routes. */
    RouteDesk routes();

    /** Every published model, by name. */
    List<ModelStatus> models();

    /** How the pool fares. */
    PoolStatus status();

    /** Whether the coordinator knows a leader and has applied what was committed. */
    boolean ready();

    /** The coordinator's own gRPC services, served beside the gateway's. */
    List<BindableService> services();

    /** Most generations that may run through this gateway at once. */
    int maxConcurrentGenerations();

    /** Most requests that may wait for room at once. */
    int maxWaitingGenerations();

    /** How long a request may wait for room. */
    int maxWaitMillis();

    /** Most tokens of an answer whose caller set no length. */
    int defaultAnswerTokens();
}
