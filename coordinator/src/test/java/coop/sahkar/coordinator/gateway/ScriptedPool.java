package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.FakeLog;
import coop.sahkar.coordinator.accounts.AccountDesk;
import coop.sahkar.coordinator.accounts.Doorkeeper;
import coop.sahkar.coordinator.accounts.Gate;
import coop.sahkar.coordinator.accounts.KeyText;
import coop.sahkar.coordinator.limits.LocalAllowances;
import coop.sahkar.coordinator.routing.DrawnRoute;
import coop.sahkar.coordinator.routing.Prospect;
import coop.sahkar.coordinator.routing.RepairDesk;
import coop.sahkar.coordinator.routing.RepairLog;
import coop.sahkar.coordinator.routing.RepairWish;
import coop.sahkar.coordinator.routing.Repairs;
import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.coordinator.routing.RouteWish;
import coop.sahkar.coordinator.usage.UsageDesk;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.WorkerStatus;
import io.grpc.BindableService;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A pool of scripted heads, each a route of its own; the first that need not be avoided is drawn.
 */
final class ScriptedPool implements GatewayPool, RouteDesk, RepairDesk {
    private final RepairLog repairLog = new RepairLog(() -> 0);

    static final String NAME = "tiny-Q8_0";
    static final String MODEL = NAME + "@" + "0123456789abcdef".repeat(4);

    /** Most positions of a session. */
    static final int LIMIT = 512;

    /** Most tokens of an answer whose length is not set. */
    static final int ANSWER = 200;

    /** One draw that was asked for. */
    record Draw(
            String model,
            int positions,
            Set<String> avoid,
            @Nullable SessionId session,
            int epoch) {}

    /** Hash of the key of whoever runs this machine. */
    static final String HOST_KEY = KeyText.PREFIX + "0".repeat(48);

    final FakeLog log = new FakeLog();
    final AtomicLong millis = new AtomicLong(1_000_000);
    private final LocalAllowances allowances = new LocalAllowances(log, millis::get, millis::get);
    private final Gate gate =
            new Gate(
                    new Doorkeeper(log, KeyText.hash(HOST_KEY)),
                    allowances,
                    new AccountDesk(log, new Random(1), millis::get),
                    () -> Optional.of(allowances.used()));

    final CountingDesk usage = new CountingDesk();
    final Map<String, String> endpoints = new LinkedHashMap<>();
    final List<Draw> draws = new CopyOnWriteArrayList<>();
    final List<Integer> released = new CopyOnWriteArrayList<>();
    final Set<String> gone = new CopyOnWriteArraySet<>();
    volatile @Nullable Problem refusal;
    volatile Prospect prospect = Prospect.NONE;
    volatile boolean ready = true;
    volatile int most = 8;
    volatile int mostWaiting;
    volatile int waitMillis = 10_000;
    volatile int restMillis;

    @Override
    public UsageDesk usage() {
        return usage;
    }

    synchronized void add(String worker, String endpoint) {
        endpoints.put(worker, endpoint);
    }

    synchronized void remove(String worker) {
        endpoints.remove(worker);
    }

    @Override
    public synchronized RouteAnswer draw(RouteWish wish) {
        String model = wish.model();
        Set<String> avoid = wish.avoid();
        draws.add(new Draw(model, wish.positions(), avoid, wish.session(), wish.epoch()));
        Problem refused = refusal;
        if (refused != null) {
            return new RouteAnswer.None(refused);
        }
        if (!model.equals(MODEL) && !model.equals(NAME)) {
            return none(Problem.Kind.MODEL_NOT_FOUND, "No model " + model + " is published.");
        }
        if (wish.positions() > LIMIT) {
            return none(Problem.Kind.CONTEXT_LENGTH_EXCEEDED, "At most 512 tokens are allowed.");
        }
        for (Map.Entry<String, String> head : endpoints.entrySet()) {
            if (!avoid.contains(head.getKey())) {
                return found(head.getKey(), head.getValue(), wish.session(), wish.epoch() + 1);
            }
        }
        return none(
                Problem.Kind.MODEL_INCOMPLETE, "No worker holds blocks [0, 6) of " + NAME + ".");
    }

    @Override
    public RouteAnswer repair(RepairWish wish) {
        RouteAnswer answer = another(wish, wish.lost());
        if (wish.head() == RepairWish.Head.SHOULD_GO) {
            Set<String> without = new TreeSet<>(wish.lost());
            without.add(wish.current().head().workerId());
            RouteAnswer elsewhere = another(wish, without);
            answer = elsewhere instanceof RouteAnswer.Found ? elsewhere : answer;
        }
        return answer instanceof RouteAnswer.None(Problem problem, Prospect _)
                ? new RouteAnswer.None(problem, prospect)
                : answer;
    }

    private RouteAnswer another(RepairWish wish, Set<String> avoid) {
        Ticket current = wish.current();
        return draw(
                new RouteWish(
                        MODEL,
                        current.maxPositions(),
                        avoid,
                        List.of(),
                        current.session(),
                        wish.epoch() - 1,
                        ""));
    }

    @Override
    public Gate gate() {
        return gate;
    }

    @Override
    public Repairs repairLog() {
        return repairLog;
    }

    @Override
    public RepairDesk repairs() {
        return this;
    }

    @Override
    public void release(Ticket ticket) {
        released.add(ticket.epoch());
    }

    @Override
    public boolean gone(String workerId) {
        return gone.contains(workerId);
    }

    private static RouteAnswer none(Problem.Kind kind, String sentence) {
        return new RouteAnswer.None(Problem.of(kind, sentence));
    }

    private static RouteAnswer found(
            String worker, String endpoint, @Nullable SessionId session, int epoch) {
        Ticket ticket =
                new Ticket(
                        session == null ? new SessionId(1, 2) : session,
                        epoch,
                        MODEL,
                        6,
                        List.of(new RouteStage(worker, endpoint, new Span(0, 6))),
                        "",
                        LIMIT,
                        Long.MAX_VALUE,
                        1);
        byte[] bytes = {1, 2, 3};
        return new RouteAnswer.Found(
                new DrawnRoute(new SealedTicket(ticket, bytes, new byte[] {4}, "key")));
    }

    @Override
    public RouteDesk routes() {
        return this;
    }

    @Override
    public List<ModelStatus> models() {
        return List.of(
                ModelStatus.newBuilder()
                        .setModelId(MODEL)
                        .setName(NAME)
                        .setContextLength(512)
                        .setReady(true)
                        .setPublishedAtMillis(1_700_000_000_000L)
                        .build());
    }

    @Override
    public PoolStatus status() {
        return PoolStatus.newBuilder()
                .setCoordinatorId("c1")
                .setLeaderId(ready ? "c1" : "")
                .addWorkers(WorkerStatus.newBuilder().setPresent(true))
                .build();
    }

    @Override
    public boolean ready() {
        return ready;
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
    public int contextLength(String model) {
        return model.equals(MODEL) || model.equals(NAME) ? LIMIT : 0;
    }

    @Override
    public int maxWaitingGenerations() {
        return mostWaiting;
    }

    @Override
    public int maxWaitMillis() {
        return waitMillis;
    }

    @Override
    public int restingSessionMillis() {
        return restMillis;
    }

    @Override
    public int defaultAnswerTokens() {
        return ANSWER;
    }
}
