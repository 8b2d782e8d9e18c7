package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.PoolStatus;
import io.grpc.BindableService;
import java.util.List;

/** The pool as a coordinator of this process sees it. */
record CoordinatorPool(Coordinator coordinator) implements GatewayPool {
    @Override
    public RouteDesk routes() {
        return coordinator.routes();
    }

    @Override
    public List<ModelStatus> models() {
        return coordinator.models();
    }

    @Override
    public PoolStatus status() {
        return coordinator.status();
    }

    @Override
    public boolean ready() {
        return coordinator.ready();
    }

    @Override
    public List<BindableService> services() {
        return coordinator.services();
    }

    @Override
    public int maxConcurrentGenerations() {
        return coordinator.pool().state().policy().maxConcurrentGenerations();
    }

    @Override
    public int maxWaitingGenerations() {
        return coordinator.pool().state().policy().maxWaitingGenerations();
    }

    @Override
    public int maxWaitMillis() {
        return coordinator.pool().state().policy().maxWaitMillis();
    }

    @Override
    public int defaultAnswerTokens() {
        return coordinator.pool().state().policy().defaultAnswerTokens();
    }
}
