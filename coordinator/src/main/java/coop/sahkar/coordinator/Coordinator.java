package coop.sahkar.coordinator;

import coop.sahkar.coordinator.control.ModelsService;
import coop.sahkar.coordinator.control.PoolLook;
import coop.sahkar.coordinator.control.PoolService;
import coop.sahkar.coordinator.control.RelayService;
import coop.sahkar.coordinator.control.RoutesService;
import coop.sahkar.coordinator.control.TicketSigner;
import coop.sahkar.coordinator.control.WorkerDoor;
import coop.sahkar.coordinator.identity.CoordinatorIdentity;
import coop.sahkar.coordinator.identity.MembersService;
import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.LatencyTable;
import coop.sahkar.coordinator.liveness.LeaseTable;
import coop.sahkar.coordinator.liveness.SourceWatch;
import coop.sahkar.coordinator.placement.PlacementLoop;
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
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AddTicketKey;
import coop.sahkar.coordinator.state.Command.SetPolicy;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.PoolView;
import coop.sahkar.coordinator.state.TicketKeyRecord;
import coop.sahkar.governance.Policy;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.PoolStatus;
import io.grpc.BindableService;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
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
    private final RelayDesk relay;
    private final RelayService relayService;
    private final CoordinatorIdentity identity;
    private final MembersService members;

    private Coordinator(
            CoordinatorOptions options,
            DataDirectory directory,
            RatisLog log,
            TicketSigner signer,
            CoordinatorIdentity identity,
            SecureRandom random) {
        LongSupplier monotonicMillis = () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
        LongSupplier unixMillis = System::currentTimeMillis;
        LeaseTable leases = new LeaseTable(monotonicMillis.getAsLong());
        Attendance attendance = new Attendance(log, leases, monotonicMillis);
        LatencyTable latencies = new LatencyTable();
        RecentLosses losses = new RecentLosses();
        this.id = options.id();
        this.directory = directory;
        this.identity = identity;
        this.members = new MembersService(identity, log, options.advertised(), unixMillis, random);
        this.log = log;
        this.placement = new PlacementLoop(log, attendance, new SourceWatch(log));
        Function<String, String> shortfalls =
                model -> placement.shortfalls().getOrDefault(model, "");
        this.routes =
                new PoolDesk(
                        log,
                        attendance,
                        latencies,
                        losses,
                        shortfalls,
                        signer,
                        new CallerMarks(Secret.draw(random)),
                        () -> new SessionId(random.nextLong(), random.nextLong()),
                        unixMillis);
        RelayTokens tokens = new RelayTokens(Secret.draw(random));
        this.relay = relay(options, leases);
        this.relayService = new RelayService(relay, tokens, attendance, log, unixMillis);
        this.repairLog = new RepairLog(monotonicMillis);
        this.repairs =
                new PoolRepairs(log, attendance, latencies, losses, shortfalls, signer, unixMillis);
        this.repairing = new RoutesService(log, repairs, repairLog, unixMillis);
        this.look = look(attendance, latencies, shortfalls);
        this.workers =
                new WorkerDoor(
                        id,
                        options.advertised(),
                        log,
                        attendance,
                        latencies,
                        unixMillis,
                        tokens,
                        identity.transport(),
                        model -> shortfalls.apply(model).isEmpty());
        this.models = new ModelsService(log, look, unixMillis);
    }

    private PoolLook look(
            Attendance attendance, LatencyTable latencies, Function<String, String> shortfalls) {
        return new PoolLook(
                id, software(), log, attendance, latencies, repairLog, shortfalls, relay::bytes);
    }

    private RelayDesk relay(CoordinatorOptions options, LeaseTable leases) {
        return new RelayDesk(
                options.advertised().stream().findFirst().orElse(""),
                leases,
                () -> log.state().policy().relayBytesPerSecond(),
                System::nanoTime);
    }

    /**
     * Starts a coordinator and waits until its log is ready.
     *
     * @throws CoordinatorException in a sentence, when it cannot
     */
    public static Coordinator start(CoordinatorOptions options) {
        SecureRandom random = new SecureRandom();
        DataDirectory directory = DataDirectory.open(options.dataDirectory(), options.id());
        RatisLog log = null;
        try {
            TicketSigner signer = TicketSigner.open(directory.ticketKey());
            CoordinatorIdentity identity =
                    CoordinatorIdentity.read(
                            options.dataDirectory(),
                            options.id(),
                            options.advertised(),
                            System::currentTimeMillis);
            log =
                    RatisLog.start(
                            RaftPlace.of(options),
                            directory.log(),
                            () -> new CommandId(random.nextLong(), random.nextLong()),
                            options.startTimeoutMillis(),
                            identity.transport());
            identity.attach(log);
            announce(log, signer.publicKey(), options.policy());
            Coordinator coordinator =
                    new Coordinator(options, directory, log, signer, identity, random);
            coordinator.placement.start();
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

    private static void announce(RatisLog log, TicketKeyRecord key, @Nullable Policy policy) {
        if (!key.equals(log.state().ticketKeys().get(key.keyId()))) {
            propose(log, new AddTicketKey(key));
        }
        if (policy != null && !Objects.equals(policy, log.state().policy())) {
            propose(log, new SetPolicy(policy));
        }
    }

    private static void propose(RatisLog log, Command command) {
        log.propose(command)
                .ifPresent(refusal -> {
                    throw new CoordinatorException(
                            "the pool does not take this coordinator in: " + refusal.message());
                });
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

    /** WorkerControl, Models, Pool, Relay, Routes and Identity, for the gateway's port. */
    public List<BindableService> services() {
        return List.of(workers, models, new PoolService(look), relayService, repairing, members);
    }

    /** Where this process reaches a worker that is relayed to here; empty for any other. */
    public Optional<InetSocketAddress> relayDoor(String workerId) {
        return relay.door(workerId);
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

    /** Ends the workers' streams, stops planning, closes the log. Committed state stays. */
    @Override
    public void close() {
        workers.close();
        relay.close();
        models.close();
        placement.close();
        identity.close();
        log.close();
        directory.close();
    }
}
