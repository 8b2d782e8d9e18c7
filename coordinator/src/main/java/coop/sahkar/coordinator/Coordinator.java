package coop.sahkar.coordinator;

import coop.sahkar.coordinator.accounts.Gate;
import coop.sahkar.coordinator.cluster.ClusterService;
import coop.sahkar.coordinator.cluster.ClusterWatch;
import coop.sahkar.coordinator.control.KnownTickets;
import coop.sahkar.coordinator.control.LimitsDesk;
import coop.sahkar.coordinator.control.ModelsService;
import coop.sahkar.coordinator.control.PoolLook;
import coop.sahkar.coordinator.control.PoolService;
import coop.sahkar.coordinator.control.RelayService;
import coop.sahkar.coordinator.control.RoutesService;
import coop.sahkar.coordinator.control.TicketSigner;
import coop.sahkar.coordinator.control.WithdrawalLoop;
import coop.sahkar.coordinator.control.WorkerDoor;
import coop.sahkar.coordinator.identity.CoordinatorIdentity;
import coop.sahkar.coordinator.identity.MembersService;
import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.LatencyTable;
import coop.sahkar.coordinator.liveness.LeaseTable;
import coop.sahkar.coordinator.liveness.SourceWatch;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.placement.PlacementLoop;
import coop.sahkar.coordinator.raft.RaftMembers;
import coop.sahkar.coordinator.raft.RaftNode;
import coop.sahkar.coordinator.raft.RatisLog;
import coop.sahkar.coordinator.relay.RelayDesk;
import coop.sahkar.coordinator.relay.RelayTokens;
import coop.sahkar.coordinator.routing.CallerMarks;
import coop.sahkar.coordinator.routing.PoolDesk;
import coop.sahkar.coordinator.routing.PoolRepairs;
import coop.sahkar.coordinator.routing.RecentLosses;
import coop.sahkar.coordinator.routing.RepairDesk;
import coop.sahkar.coordinator.routing.RepairLog;
import coop.sahkar.coordinator.routing.Repairs;
import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.coordinator.routing.TicketSeal;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.CoordinatorRecord;
import coop.sahkar.coordinator.state.FeatureLevel;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.PoolView;
import coop.sahkar.coordinator.usage.UsageDesk;
import coop.sahkar.proto.PoolClock;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.SignedTicket;
import io.grpc.BindableService;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One coordinator without its gateway: the replicated log, who is here, the placement loop, the
 * route desk and the services that the gateway mounts on its port. This is where clocks and
 * randomness come in.
 */
public final class Coordinator implements AutoCloseable {
    private final String id;
    private final DataDirectory directory;
    private final RatisLog log;
    private final PlacementLoop placement;
    private final RouteDesk routes;
    private final RepairLog repairLog;
    private final PoolRepairs repairs;
    private final RoutesService repairing;
    private final PoolLook look;
    private final WorkerDoor workers;
    private final ModelsService models;
    private final WithdrawalLoop withdrawals;
    private final RelayDesk relay;
    private final RelayService relayService;
    private final CoordinatorIdentity identity;
    private final MembersService members;
    private final LimitsDesk limits;
    private final Gate gate;
    private final Books books;
    private final ClusterService cluster;
    private final ClusterWatch watch;
    private final String ticketKeyId;
    private final KnownTickets tickets;
    private final TicketSeal seal;
    private final Attendance attendance;
    private final Supplier<List<String>> gateways;
    private volatile String announced = "";

    private Coordinator(
            CoordinatorOptions options,
            DataDirectory directory,
            RatisLog log,
            TicketSigner signer,
            CoordinatorIdentity identity,
            String hostKeyHash,
            SecureRandom random) {
        LongSupplier monotonicMillis = () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
        PoolClock clock = PoolClock.system();
        LongSupplier unixMillis = clock::earliestUnixMillis;
        LeaseTable leases = new LeaseTable(monotonicMillis.getAsLong());
        this.attendance = new Attendance(log, leases, monotonicMillis);
        LatencyTable latencies = new LatencyTable();
        RecentLosses losses = new RecentLosses();
        this.id = options.id();
        this.directory = directory;
        this.identity = identity;
        this.log = log;
        this.placement = new PlacementLoop(log, attendance, new SourceWatch(log));
        Function<String, String> shortfalls =
                model -> placement.shortfalls().getOrDefault(model, "");
        this.routes = desk(log, attendance, latencies, losses, shortfalls, signer, random, clock);
        RelayTokens tokens = new RelayTokens(Secret.draw(random));
        this.relay = relay(options, leases, log);
        this.relayService = new RelayService(relay, tokens, attendance, log, unixMillis);
        this.tickets = new KnownTickets(log, unixMillis);
        this.seal = signer;
        this.repairLog = new RepairLog(monotonicMillis);
        this.repairs =
                new PoolRepairs(
                        log,
                        attendance,
                        latencies,
                        losses,
                        shortfalls,
                        signer,
                        clock::latestUnixMillis);
        this.repairing = new RoutesService(tickets, repairs, repairLog);
        this.look = look(log, attendance, latencies, repairLog, shortfalls, relay);
        this.gateways = () -> gateways(options);
        this.members = new MembersService(identity, log, gateways, unixMillis, random);
        this.workers =
                new WorkerDoor(
                        id,
                        gateways,
                        log,
                        attendance,
                        latencies,
                        unixMillis,
                        tokens,
                        identity.transport(),
                        model -> shortfalls.apply(model).isEmpty());
        this.models = new ModelsService(log, look, unixMillis);
        this.withdrawals = new WithdrawalLoop(log, attendance, unixMillis);
        this.cluster = new ClusterService(id, log);
        this.ticketKeyId = signer.publicKey().keyId();
        this.watch =
                new ClusterWatch(
                        id, log, alone -> StartSteps.remember(directory.path(), raft(log), alone));
        this.limits = limits(log, signer, identity.transport(), gateways, unixMillis);
        this.gate = limits.gate(hostKeyHash, random);
        this.books = Books.of(id, log, random.nextLong(), unixMillis);
    }

    private static PoolDesk desk(
            RatisLog log,
            Attendance workersHere,
            LatencyTable latencies,
            RecentLosses losses,
            Function<String, String> shortfalls,
            TicketSigner signer,
            SecureRandom random,
            PoolClock clock) {
        return new PoolDesk(
                log,
                workersHere,
                latencies,
                losses,
                shortfalls,
                signer,
                new CallerMarks(Secret.draw(random)),
                () -> new SessionId(random.nextLong(), random.nextLong()),
                clock);
    }

    private PoolLook look(
            RatisLog its,
            Attendance workersHere,
            LatencyTable latencies,
            RepairLog mending,
            Function<String, String> shortfalls,
            RelayDesk relays) {
        return new PoolLook(
                id, software(), its, workersHere, latencies, mending, shortfalls, relays::bytes);
    }

    /** The first gateway is this one's own; the others are asked. */
    private static LimitsDesk limits(
            RatisLog log,
            TicketSigner signer,
            Transport transport,
            Supplier<List<String>> gateways,
            LongSupplier unixMillis) {
        return new LimitsDesk(
                log,
                signer,
                transport,
                () -> gateways.get().stream().skip(1).toList(),
                () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()),
                unixMillis);
    }

    private static RelayDesk relay(CoordinatorOptions options, LeaseTable leases, RatisLog log) {
        return new RelayDesk(
                options.advertised().stream().findFirst().orElse(""),
                leases,
                () -> log.state().policy().relayBytesPerSecond(),
                System::nanoTime);
    }

    private String raft(RatisLog its) {
        return its.members().view().members().stream()
                .filter(member -> member.id().equals(id))
                .map(RaftMembers.Member::raft)
                .findFirst()
                .orElse("");
    }

    /**
     * Starts a coordinator and waits until its log is ready.
     *
     * @throws CoordinatorException in a sentence, when it cannot
     */
    public static Coordinator start(CoordinatorOptions options) {
        SecureRandom random = new SecureRandom();
        RaftPlace.checkId(options.id());
        CoordinatorIdentity identity =
                CoordinatorIdentity.read(
                        options.dataDirectory(), options.id(), System::currentTimeMillis);
        DataDirectory directory =
                DataDirectory.open(
                        options.dataDirectory(),
                        options.id(),
                        () -> StartSteps.newcomer(options, identity.transport()));
        RatisLog log = null;
        try {
            TicketSigner signer = TicketSigner.open(directory.ticketKey());
            RaftNode place = RaftPlace.of(options, directory);
            log =
                    RatisLog.open(
                            place,
                            directory.log(),
                            () -> new CommandId(random.nextLong(), random.nextLong()),
                            identity.transport());
            StartSteps.join(options, identity.transport(), directory, place, log);
            log.catchUp(options.startTimeoutMillis());
            identity.attach(log);
            StartSteps.announce(log, signer.publicKey(), options.policy());
            Coordinator coordinator =
                    new Coordinator(
                            options,
                            directory,
                            log,
                            signer,
                            identity,
                            StartSteps.hostKey(options, random),
                            random);
            identity.keepFresh(coordinator.gateways);
            coordinator.placement.start();
            coordinator.limits.start();
            coordinator.books.loop().start();
            coordinator.watch.start();
            coordinator.withdrawals.start();
            return coordinator;
        } catch (LogUnavailableException | CoordinatorException e) {
            if (log != null) {
                log.close();
            }
            directory.close();
            throw e instanceof CoordinatorException known
                    ? known
                    : new CoordinatorException(String.valueOf(e.getMessage()), e);
        }
    }

    /** Where workers reach coordinators: this one first, then as the others say. */
    private List<String> gateways(CoordinatorOptions options) {
        Set<String> all = new LinkedHashSet<>(options.advertised());
        if (all.isEmpty() && !announced.isEmpty()) {
            all.add(announced);
        }
        log.state()
                .cluster()
                .coordinators()
                .forEach((other, record) -> {
                    if (!other.equals(id) && !record.gateway().isEmpty()) {
                        all.add(record.gateway());
                    }
                });
        return List.copyOf(all);
    }

    /**
     * Says to the pool where workers, clients and the other coordinators reach this one.
     *
     * @param gateway {@code host:port}
     */
    public void announce(String gateway) {
        announced = gateway;
        watch.announce(new CoordinatorRecord(id, gateway, FeatureLevel.KNOWN, ticketKeyId));
    }

    /** Done, with a sentence, when this coordinator is a member of the pool no more. */
    public CompletableFuture<String> removed() {
        return watch.removed();
    }

    private static String software() {
        String version = Coordinator.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    /** Draws routes. */
    public RouteDesk routes() {
        return routes;
    }

    /** Where repairs of running generations are told, to be shown in the status. */
    public Repairs repairLog() {
        return repairLog;
    }

    /** Draws the next routes of running sessions. */
    public RepairDesk repairs() {
        return repairs;
    }

    /** The replicated state. */
    public PoolView pool() {
        return log;
    }

    /** How this coordinator speaks with other nodes. */
    public Transport transport() {
        return identity.transport();
    }

    /** Who pays for callers, and where what they use is counted. */
    public UsageDesk usage() {
        return books.desk();
    }

    /**
     * WorkerControl, Models, Pool, Relay, Routes, Limits, Ledger, Cluster and Identity, to be
     * mounted on the gateway's port.
     */
    public List<BindableService> services() {
        return List.of(
                workers,
                models,
                new PoolService(look),
                relayService,
                repairing,
                limits.service(),
                books.service(),
                cluster,
                members);
    }

    /** Who may ask, and how much. */
    public Gate gate() {
        return gate;
    }

    /** Where this process reaches a worker that is relayed to here; empty for any other. */
    public Optional<InetSocketAddress> relayDoor(String workerId) {
        return relay.door(workerId);
    }

    /** The ticket of a session that runs; null if no coordinator has signed it. */
    public @Nullable Ticket ticketOf(SignedTicket signed) {
        return tickets.open(signed) instanceof Tickets.Valid(SealedTicket sealed)
                ? sealed.ticket()
                : null;
    }

    /** Whether workers that should serve a model may come back to this coordinator any moment. */
    public boolean awaitsWorkers(String model) {
        PoolState state = log.state();
        Set<String> ids = new TreeSet<>();
        state.modelsNamed(model).forEach(known -> ids.add(known.id()));
        return state.placement().assignments().entrySet().stream()
                .filter(of -> of.getValue().stream().anyMatch(s -> ids.contains(s.modelId())))
                .anyMatch(of -> attendance.of(of.getKey()).standing() == Standing.AWAITED);
    }

    /** Signs a ticket. */
    public SealedTicket seal(Ticket ticket) {
        return seal.seal(ticket);
    }

    /** Where the coordinators of the pool are reached, {@code host:port}, this one first. */
    public List<String> gateways() {
        return gateways.get();
    }

    /** One look at everything. */
    public PoolStatus status() {
        return look.status();
    }

    /** The models, by name, and whether each can be used now. */
    public List<ModelStatus> models() {
        return look.models();
    }

    /** Whether the log has a leader; its state was applied here before {@link #start} returned. */
    public boolean ready() {
        return !log.leaderId().isEmpty();
    }

    /**
     * Done, with a sentence, when its log can be written no more. It still answers what it knows,
     * but takes no change: whoever runs it should close it and start again.
     */
    public CompletableFuture<String> logFailure() {
        return log.failure().thenApply(failure -> String.valueOf(failure.getMessage()));
    }

    /** This coordinator's id. */
    public String id() {
        return id;
    }

    /**
     * Tells the status where to read how many generations run here, and how many requests wait for
     * room.
     */
    public void count(IntSupplier running, IntSupplier waiting) {
        look.count(running, waiting);
    }

    /**
     * Ends the workers' streams, stops planning, posts the last usage, closes the log. Committed
     * state stays.
     */
    @Override
    public void close() {
        workers.close();
        relay.close();
        models.close();
        withdrawals.close();
        cluster.close();
        watch.close();
        placement.close();
        identity.close();
        limits.close();
        books.loop().close();
        log.close();
        directory.close();
    }
}
