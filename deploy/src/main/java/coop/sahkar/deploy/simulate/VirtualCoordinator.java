package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.Secret;
import coop.sahkar.coordinator.control.FirstAssignment;
import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.LatencyTable;
import coop.sahkar.coordinator.liveness.LeaseTable;
import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.placement.PoolSight;
import coop.sahkar.coordinator.routing.CallerMarks;
import coop.sahkar.coordinator.routing.PoolDesk;
import coop.sahkar.coordinator.routing.PoolRepairs;
import coop.sahkar.coordinator.routing.RecentLosses;
import coop.sahkar.coordinator.routing.RepairDesk;
import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.PoolClock;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.agent.Desired;
import coop.sahkar.worker.agent.DesiredShard;
import coop.sahkar.worker.store.ShardKey;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A coordinator: the production leases, placement and route desk over a replica of the log. A
 * restart leaves it the log and nothing else.
 */
final class VirtualCoordinator {
    private static final long SEND_MILLIS = 20;

    final String id;
    private final World world;
    private final VirtualLog.Replica log;
    private final VirtualBooks books;
    private final Chance chance;
    private final SortedMap<String, ControlPath> attached = new TreeMap<>();
    private LeaseTable leases;
    private Attendance attendance;
    private Planning placement;
    private RecentLosses losses = new RecentLosses();
    private RouteDesk desk;
    private RepairDesk repairs;
    private boolean up;
    private boolean sendPending;
    private int boot;

    VirtualCoordinator(
            String id, World world, VirtualLog.Replica log, VirtualBooks books, Chance chance) {
        this.id = id;
        this.world = world;
        this.log = log;
        this.books = books;
        this.chance = chance;
        this.leases = new LeaseTable(world.nowMillis());
        this.attendance = new Attendance(log, leases, world::nowMillis);
        this.placement = world.newPlanning();
        this.desk = newDesk();
        this.repairs = newRepairs();
    }

    void start() {
        up = true;
        boot++;
        leases = new LeaseTable(world.nowMillis());
        attendance = new Attendance(log, leases, world::nowMillis);
        placement = world.newPlanning();
        losses = new RecentLosses();
        desk = newDesk();
        repairs = newRepairs();
        log.start();
        books.start();
        log.onChange(this::sendSoon);
        look(boot);
    }

    private RouteDesk newDesk() {
        Planning decision = placement;
        return new PoolDesk(
                log,
                attendance,
                new LatencyTable(),
                losses,
                model -> decision.shortfalls().getOrDefault(model, ""),
                this::seal,
                new CallerMarks(new Secret(new byte[] {1})),
                () -> new SessionId(chance.bits(), chance.bits()),
                PoolClock.of(world::nowMillis));
    }

    private RepairDesk newRepairs() {
        Planning decision = placement;
        return new PoolRepairs(
                log,
                attendance,
                new LatencyTable(),
                losses,
                model -> decision.shortfalls().getOrDefault(model, ""),
                this::seal,
                world::nowMillis);
    }

    private SealedTicket seal(Ticket ticket) {
        return new SealedTicket(ticket, new byte[0], new byte[0], id);
    }

    /** The process ends; its peers see their streams close. */
    void crash() {
        world.trace().say(id, "dies");
        up = false;
        for (ControlPath path : List.copyOf(attached.values())) {
            long broken = path.admitted;
            path.admitted = 0;
            path.sendDown(() -> path.worker.control().streamBroke(path, broken));
        }
        attached.clear();
        world.answers().gatewayDied(this);
        books.stop();
        log.stop();
    }

    /** How often it was started. */
    int boot() {
        return boot;
    }

    boolean up() {
        return up;
    }

    RouteDesk desk() {
        return desk;
    }

    RepairDesk repairs() {
        return repairs;
    }

    VirtualLog.Replica log() {
        return log;
    }

    VirtualBooks books() {
        return books;
    }

    Attendance attendance() {
        return attendance;
    }

    private void look(int atBoot) {
        if (!up || boot != atBoot) {
            return;
        }
        PoolSight sight =
                new PoolSight(
                        log.state(),
                        attendance.now(),
                        new TreeSet<>(),
                        log.leads(),
                        world.nowMillis());
        long plans = placement.plansMade();
        PlanTime begun = PlanTime.now();
        List<Command> proposals = placement.decide(sight);
        if (placement.plansMade() > plans) {
            world.tally().planned(begun.spent(placement.plansMade()));
        }
        try {
            proposals.forEach(command -> propose(sight, command));
        } catch (LogUnavailableException e) {
            world.trace().say(id, "cannot have its plan adopted: " + e.getMessage());
        }
        world.agenda().after(world.scenario().lookMillis(), () -> look(atBoot));
    }

    private void propose(PoolSight sight, Command command) {
        Optional<Refusal> refusal = log.propose(command);
        if (refusal.isPresent()) {
            world.trace().say(id, "is refused: " + refusal.get().message());
        } else if (command instanceof AdoptPlacement adopt) {
            world.trace().say(id, "adopts placement " + adopt.placement().generation());
            world.invariants().adopted(sight, adopt.placement());
        }
    }

    /** A worker says hello on a new stream. */
    void hello(ControlPath path, long stream, WorkerRecord worker) {
        if (!up) {
            path.sendDown(() -> path.worker.control().streamBroke(path, stream));
            return;
        }
        Optional<Problem.Kind> refusal = register(worker);
        if (refusal.isPresent()) {
            path.sendDown(() -> path.worker.control().refused(path, stream, refusal.get()));
            return;
        }
        path.admittedAtMillis = world.nowMillis();
        path.admitted = stream;
        path.assigned = null;
        path.leaves = false;
        path.lease = leases.attached(worker.id(), world.nowMillis());
        attached.put(worker.id(), path);
        path.sendDown(() -> path.worker.control().welcome(path, stream));
        assign(path);
        sendSoon();
        world.agenda().after(FirstAssignment.HELD_MILLIS, this::sendSoon);
    }

    private Optional<Problem.Kind> register(WorkerRecord worker) {
        try {
            WorkerRecord known = log.state().workers().get(worker.id());
            if (known != null && known.sameAs(worker)) {
                return Optional.empty();
            }
            Optional<Refusal> refusal = log.propose(new RegisterWorker(worker));
            refusal.ifPresent(_ -> world.tally().refusedWorker());
            return refusal.map(_ -> Problem.Kind.OVERLOADED);
        } catch (LogUnavailableException e) {
            return Optional.of(Problem.Kind.NOT_LEADER);
        }
    }

    void report(ControlPath path, long stream, long generation, List<ShardStatus> shards) {
        if (up && path.admitted == stream) {
            boolean changed =
                    leases.reported(
                            path.worker.id, path.lease, generation, shards, world.nowMillis());
            if (changed) {
                sendSoon();
            }
        }
    }

    void leaving(ControlPath path, long stream) {
        if (up && path.admitted == stream) {
            leases.left(path.worker.id, path.lease);
            path.leaves = true;
        }
    }

    void closed(ControlPath path, long stream) {
        if (up && stream != 0 && path.admitted == stream) {
            leases.ended(path.worker.id, path.lease, world.nowMillis());
            path.admitted = 0;
            attached.remove(path.worker.id, path);
        }
    }

    private void sendSoon() {
        if (!sendPending) {
            sendPending = true;
            world.agenda().after(SEND_MILLIS, this::sendAll);
        }
    }

    private void sendAll() {
        sendPending = false;
        if (up) {
            attached.values().forEach(this::assign);
        }
    }

    /** Sends what a worker should hold unless it was told so already. */
    private void assign(ControlPath path) {
        PoolState state = log.state();
        long generation = state.placement().generation();
        List<AssignedShard> shards = state.placement().of(path.worker.id);
        boolean told = path.assigned instanceof Desired sent && sent.generation() == generation;
        if (told && !path.leaves) {
            return;
        }
        boolean first = path.assigned == null;
        long since = world.nowMillis() - path.admittedAtMillis;
        if (first && FirstAssignment.waits(shards.isEmpty(), since)) {
            return;
        }
        Desired desired =
                new Desired(
                        generation,
                        shards.stream()
                                .filter(s -> state.models().containsKey(s.modelId()))
                                .filter(s -> !path.leaves || placeable(s.modelId()))
                                .map(VirtualCoordinator::desired)
                                .toList());
        if (desired.equals(path.assigned)) {
            return;
        }
        path.assigned = desired;
        long stream = path.admitted;
        path.sendDownLoosely(() -> path.worker.assign(path, stream, desired));
    }

    /** Whether a model is whole without those that leave: only then do they wait for others. */
    private boolean placeable(String modelId) {
        return !placement.shortfalls().containsKey(modelId);
    }

    private static DesiredShard desired(AssignedShard shard) {
        return new DesiredShard(
                new ShardKey(shard.modelId(), shard.span()), shard.kvCells(), List.of());
    }
}
