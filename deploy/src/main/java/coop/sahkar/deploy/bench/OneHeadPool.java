package coop.sahkar.deploy.bench;

import coop.sahkar.coordinator.accounts.AccountDesk;
import coop.sahkar.coordinator.accounts.Doorkeeper;
import coop.sahkar.coordinator.accounts.Gate;
import coop.sahkar.coordinator.gateway.GatewayPool;
import coop.sahkar.coordinator.limits.LocalAllowances;
import coop.sahkar.coordinator.routing.DrawnRoute;
import coop.sahkar.coordinator.routing.RepairDesk;
import coop.sahkar.coordinator.routing.RepairLog;
import coop.sahkar.coordinator.routing.RepairWish;
import coop.sahkar.coordinator.routing.Repairs;
import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.coordinator.routing.RouteWish;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.coordinator.usage.LedgerDesk;
import coop.sahkar.coordinator.usage.UsageDesk;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.PoolStatus;
import io.grpc.BindableService;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A pool whose every route is one worker that computes nothing. Thread-safe. */
final class OneHeadPool implements GatewayPool, RouteDesk, RepairDesk {
    /** The model's name. */
    static final String MODEL = "made-up";

    private static final String MODEL_ID = MODEL + "@" + "0123456789abcdef".repeat(4);
    private static final int BLOCKS = 1;
    private static final int POSITIONS = 1 << 20;

    private final String endpoint;
    private final int most;
    private final RepairLog repairLog = new RepairLog(() -> 0);
    private final AtomicLong sessions = new AtomicLong();
    private final AtomicInteger repairs = new AtomicInteger();
    private final AtomicInteger routes = new AtomicInteger();
    private final LocalAllowances allowances =
            new LocalAllowances(new NoLog(), OneHeadPool::millis, System::currentTimeMillis);
    private final Gate gate =
            new Gate(
                    new Doorkeeper(new NoLog(), ""),
                    allowances,
                    new AccountDesk(new NoLog(), new SecureRandom(), System::currentTimeMillis),
                    () -> Optional.of(allowances.used()));

    /**
     * @param endpoint where its worker listens, {@code host:port}
     * @param most generations at once
     */
    OneHeadPool(String endpoint, int most) {
        this.endpoint = endpoint;
        this.most = most;
    }

    /** How often a head was taken for lost, since it was silent on a busy machine. */
    int repairCount() {
        return repairs.get();
    }

    /** Routes in use. */
    int routesInUse() {
        return routes.get();
    }

    private static long millis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    /** Everybody may ask without a key, as in a new pool, and nothing can be changed. */
    private static final class NoLog implements ReplicatedLog {
        @Override
        public PoolState state() {
            return PoolState.EMPTY;
        }

        @Override
        public PoolState latest() {
            return PoolState.EMPTY;
        }

        @Override
        public long ageMillis() {
            return 0;
        }

        @Override
        public Optional<Refusal> propose(Command command) {
            throw new LogUnavailableException("the pool of a benchmark keeps no log");
        }

        @Override
        public boolean leads() {
            return true;
        }

        @Override
        public String leaderId() {
            return "";
        }

        @Override
        public void onChange(Runnable listener) {}
    }

    @Override
    public UsageDesk usage() {
        return new LedgerDesk(new NoLog(), _ -> {});
    }

    @Override
    public Gate gate() {
        return gate;
    }

    @Override
    public RouteAnswer draw(RouteWish wish) {
        return route(new SessionId(1, sessions.incrementAndGet()), wish.epoch() + 1);
    }

    private RouteAnswer route(SessionId session, int epoch) {
        routes.incrementAndGet();
        Ticket ticket =
                new Ticket(
                        session,
                        epoch,
                        MODEL_ID,
                        BLOCKS,
                        List.of(new RouteStage("only", endpoint, new Span(0, BLOCKS))),
                        "",
                        POSITIONS,
                        Long.MAX_VALUE,
                        1);
        return new RouteAnswer.Found(
                new DrawnRoute(new SealedTicket(ticket, new byte[1], new byte[1], "none")));
    }

    @Override
    public void release(Ticket ticket) {
        routes.decrementAndGet();
    }

    @Override
    public RouteAnswer repair(RepairWish wish) {
        repairs.incrementAndGet();
        return route(wish.current().session(), wish.epoch());
    }

    @Override
    public boolean gone(String workerId) {
        return false;
    }

    @Override
    public RouteDesk routes() {
        return this;
    }

    @Override
    public RepairDesk repairs() {
        return this;
    }

    @Override
    public Repairs repairLog() {
        return repairLog;
    }

    @Override
    public List<ModelStatus> models() {
        return List.of(
                ModelStatus.newBuilder()
                        .setModelId(MODEL_ID)
                        .setName(MODEL)
                        .setContextLength(POSITIONS)
                        .setReady(true)
                        .build());
    }

    @Override
    public PoolStatus status() {
        return PoolStatus.getDefaultInstance();
    }

    @Override
    public boolean ready() {
        return true;
    }

    @Override
    public List<BindableService> services() {
        return List.of();
    }

    @Override
    public int maxConcurrentGenerations() {
        return most;
    }

    @Override
    public int maxWaitingGenerations() {
        return 0;
    }

    @Override
    public int maxWaitMillis() {
        return 1;
    }

    @Override
    public int defaultAnswerTokens() {
        return POSITIONS / 2;
    }

    @Override
    public int restingSessionMillis() {
        return 0;
    }

    @Override
    public int contextLength(String model) {
        return POSITIONS;
    }
}
