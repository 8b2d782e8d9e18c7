package coop.sahkar.coordinator;

import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.PoolView;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.PoolStatus;
import io.grpc.BindableService;
import java.util.List;
import java.util.function.IntSupplier;

/** One coordinator without its gateway. */
public final class Coordinator implements AutoCloseable {
    private final String id;
    private final RouteDesk routes;
    private final PoolView pool;
    private final List<BindableService> services;

    private Coordinator(
            String id, RouteDesk routes, PoolView pool, List<BindableService> services) {
        this.id = id;
        this.routes = routes;
        this.pool = pool;
        this.services = services;
    }

    /**
     * Starts a coordinator and waits until its log is ready.
     *
     * @throws CoordinatorException in a sentence, when it cannot
     */
    public static Coordinator start(CoordinatorOptions options) {
        RouteDesk none =
                (model, positions, avoid, session, epoch) ->
                        new RouteAnswer.None(
                                Problem.of(Problem.Kind.MODEL_NOT_FOUND, "no model " + model));
        return new Coordinator(options.id(), none, () -> PoolState.EMPTY, List.of());
    }

    /** Draws routes. */
    public RouteDesk routes() {
        return routes;
    }

    /** The replicated state. */
    public PoolView pool() {
        return pool;
    }

    /** WorkerControl, Models and Pool, to be mounted on the gateway's port. */
    public List<BindableService> services() {
        return services;
    }

    /** One look at everything. */
    public PoolStatus status() {
        return PoolStatus.getDefaultInstance();
    }

    /** The models, by name, and whether each can be used now. */
    public List<ModelStatus> models() {
        return List.of();
    }

    /** Whether the log has a leader and its state is applied here. */
    public boolean ready() {
        return false;
    }

    /** This coordinator's id. */
    public String id() {
        return id;
    }

    /** Tells the status page where to read how many generations run here. */
    public void countRunning(IntSupplier running) {
        if (running.getAsInt() < 0) {
            throw new IllegalArgumentException();
        }
    }

    @Override
    public void close() {}
}
