package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.accounts.Gate;
import coop.sahkar.coordinator.routing.RepairDesk;
import coop.sahkar.coordinator.routing.Repairs;
import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
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

/** The pool as a coordinator of this process sees it. */
record CoordinatorPool(Coordinator coordinator) implements GatewayPool {
    @Override
    public RouteDesk routes() {
        return coordinator.routes();
    }

    @Override
    public Gate gate() {
        return coordinator.gate();
    }

    @Override
    public RepairDesk repairs() {
        return coordinator.repairs();
    }

    @Override
    public Repairs repairLog() {
        return coordinator.repairLog();
    }

    @Override
    public UsageDesk usage() {
        return coordinator.usage();
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
    public Transport transport() {
        return coordinator.transport();
    }

    @Override
    public List<BindableService> services() {
        return coordinator.services();
    }

    @Override
    public Optional<InetSocketAddress> relayDoor(String workerId) {
        return coordinator.relayDoor(workerId);
    }

    @Override
    public @Nullable Ticket ticketOf(SignedTicket signed) {
        return coordinator.ticketOf(signed);
    }

    @Override
    public SealedTicket seal(Ticket ticket) {
        return coordinator.seal(ticket);
    }

    @Override
    public List<String> coordinators() {
        return coordinator.gateways();
    }

    @Override
    public boolean awaitsWorkers(String model) {
        return coordinator.awaitsWorkers(model);
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

    @Override
    public int restingSessionMillis() {
        return coordinator.pool().state().policy().restingSessionMillis();
    }

    @Override
    public long goneAtMillis(String model) {
        List<ModelRecord> found = coordinator.pool().state().modelsNamed(model);
        return found.size() == 1 ? found.getFirst().goneAtMillis() : 0;
    }

    @Override
    public int contextLength(String model) {
        PoolState state = coordinator.pool().state();
        List<ModelRecord> found = state.modelsNamed(model);
        return found.size() == 1
                ? Math.min(
                        state.policy().maxSessionPositions(),
                        found.getFirst().manifest().contextLength())
                : 0;
    }
}
