package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.routing.RepairDesk;
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
    public RepairDesk repairs() {
        return coordinator.repairs();
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
    public int defaultAnswerTokens() {
        return coordinator.pool().state().policy().defaultAnswerTokens();
    }
}
