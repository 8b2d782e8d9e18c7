package coop.sahkar.coordinator.relay;

import coop.sahkar.coordinator.liveness.LeaseTable;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RelayEndpoint;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The workers that are reached through this coordinator, and the connections to them. Soft state: a
 * coordinator that restarts has none of it until the workers come back. Safe for use by many
 * threads; tunnels are called outside its lock.
 */
public final class RelayDesk implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RelayDesk.class);

    /** Where a worker hears who calls it. */
    public interface Line {
        void announce(long call);

        /** It is heard elsewhere, or not at all, from now on. */
        void close(Problem why);
    }

    /** What asking for a connection came to. */
    public sealed interface Connection {
        /** It stands, or will when the worker takes the call. */
        record Made() implements Connection {}

        /** It does not. */
        record Refused(Problem problem) implements Connection {}
    }

    private final String address;
    private final LeaseTable leases;
    private final IntSupplier bytesPerSecond;
    private final LongSupplier nanoClock;
    private final Tunnel.Desk rules = new Rules();
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("sahkar-relay").factory());
    private final Map<String, RelayedWorker> workers = new LinkedHashMap<>(); // guarded by this
    private long nextCall = 1; // guarded by this

    /**
     * @param address where workers reach this coordinator, {@code host:port}; empty: it can't relay
     * @param bytesPerSecond the policy's rate for one worker
     * @param nanoClock as {@link System#nanoTime}
     */
    public RelayDesk(
            String address, LeaseTable leases, IntSupplier bytesPerSecond, LongSupplier nanoClock) {
        this.address = address;
        this.leases = leases;
        this.bytesPerSecond = bytesPerSecond;
        this.nanoClock = nanoClock;
        long sweep = RelayLimits.SWEEP_MILLIS;
        var _ = timer.scheduleWithFixedDelay(this::sweep, sweep, sweep, TimeUnit.MILLISECONDS);
    }

    /** A worker wants to be reached here; an older line of it ends. Why not, if it can't be. */
    public Optional<Problem> attach(String workerId, Line line) {
        if (address.isEmpty()) {
            return Optional.of(
                    Problem.of(
                            Problem.Kind.WORKER_LOST,
                            "This coordinator does not know where it is reached, so it can't relay; "
                                    + "start it with --advertise."));
        }
        Line older;
        synchronized (this) {
            RelayedWorker worker = workers.get(workerId);
            if (worker == null) {
                workers.values().removeIf(w -> isFull() && w.forgettable());
                if (isFull()) {
                    return Optional.of(
                            Problem.of(
                                    Problem.Kind.OVERLOADED,
                                    "This coordinator relays to %d workers, as many as it takes."
                                            .formatted(workers.size())));
                }
                worker = new RelayedWorker();
                workers.put(workerId, worker);
            }
            older = worker.line;
            worker.line = line;
        }
        if (older != null) {
            older.close(Problem.of(Problem.Kind.CANCELLED, "The worker opened another line."));
        }
        leases.relayed(workerId, new RelayEndpoint(address, workerId).toString());
        LOG.info("worker {} is reached through this coordinator", workerId);
        return Optional.empty();
    }

    private boolean isFull() {
        return workers.size() >= RelayLimits.MAX_WORKERS;
    }

    /** A worker's line ended: nobody reaches it anew; connections that stand go on. */
    public void detach(String workerId, Line line) {
        RelayDoor door;
        List<Tunnel> unheard;
        synchronized (this) {
            RelayedWorker worker = workers.get(workerId);
            if (worker == null || !line.equals(worker.line)) {
                return;
            }
            worker.line = null;
            door = worker.door;
            worker.door = null;
            unheard = List.copyOf(worker.waiting.values());
            worker.waiting.clear();
        }
        leases.relayed(workerId, "");
        LOG.info("worker {} is not reached through this coordinator any more", workerId);
        if (door != null) {
            door.close();
        }
        unheard.forEach(tunnel -> tunnel.end(RelayRules.notRelayed(workerId)));
    }

    /**
     * Connects an end with a worker, when that takes the call.
     *
     * @param end of somebody who has the right to it: see {@link RelayRules}
     */
    public Connection connect(String target, TunnelEnd end) {
        Tunnel tunnel = new Tunnel(target, end, rules);
        long call;
        Line line;
        synchronized (this) {
            RelayedWorker worker = workers.get(target);
            if (worker == null || worker.line == null) {
                return new Connection.Refused(RelayRules.notRelayed(target));
            }
            if (worker.tunnels.size() >= RelayLimits.MAX_TUNNELS_PER_WORKER) {
                return new Connection.Refused(RelayRules.busy(target, worker.tunnels.size()));
            }
            call = nextCall++;
            worker.waiting.put(call, tunnel);
            worker.tunnels.add(tunnel);
            line = worker.line;
        }
        end.joins(tunnel);
        line.announce(call);
        later(
                () -> unanswered(target, call),
                TimeUnit.MILLISECONDS.toNanos(RelayLimits.ANSWER_MILLIS));
        return new Connection.Made();
    }

    private void unanswered(String target, long call) {
        Tunnel tunnel;
        synchronized (this) {
            RelayedWorker worker = workers.get(target);
            tunnel = worker == null ? null : worker.waiting.remove(call);
        }
        if (tunnel != null) {
            tunnel.end(
                    Problem.of(
                            Problem.Kind.WORKER_LOST,
                            "Worker %s did not take a relayed call within %d ms."
                                    .formatted(target, RelayLimits.ANSWER_MILLIS)));
        }
    }

    /** A worker, as it has proved, takes a call. */
    public Connection answer(String workerId, long call, TunnelEnd end) {
        Tunnel tunnel;
        synchronized (this) {
            RelayedWorker worker = workers.get(workerId);
            tunnel = worker == null ? null : worker.waiting.remove(call);
        }
        if (tunnel == null) {
            return new Connection.Refused(
                    Problem.of(
                            Problem.Kind.CANCELLED,
                            "Nobody waits for call %s; the caller may have hung up."
                                    .formatted(Long.toUnsignedString(call))));
        }
        end.joins(tunnel);
        return tunnel.taken(end)
                ? new Connection.Made()
                : new Connection.Refused(
                        Problem.of(Problem.Kind.CANCELLED, "The caller has hung up."));
    }

    /** Bytes relayed to and from a worker since this coordinator knows it. */
    public long bytes(String workerId) {
        synchronized (this) {
            RelayedWorker worker = workers.get(workerId);
            return worker == null ? 0 : worker.bytes.sum();
        }
    }

    /** Where this process reaches a relayed worker; empty when the worker has no line here. */
    public Optional<InetSocketAddress> door(String workerId) {
        synchronized (this) {
            RelayedWorker worker = workers.get(workerId);
            if (worker == null || worker.line == null) {
                return Optional.empty();
            }
            RelayDoor door = worker.door;
            if (door == null) {
                try {
                    door = RelayDoor.open(workerId, this);
                } catch (IOException e) {
                    LOG.warn("no door to worker {}: {}", workerId, e.getMessage());
                    return Optional.empty();
                }
                worker.door = door;
            }
            return Optional.of(door.address());
        }
    }

    private void sweep() {
        long oldest =
                nanoClock.getAsLong() - TimeUnit.MILLISECONDS.toNanos(RelayLimits.IDLE_MILLIS);
        for (Tunnel tunnel : tunnels()) {
            if (tunnel.idleSince(oldest)) {
                tunnel.end(Problem.of(Problem.Kind.WORKER_LOST, "A relayed connection was idle."));
            }
        }
    }

    private synchronized List<Tunnel> tunnels() {
        List<Tunnel> all = new ArrayList<>();
        workers.values().forEach(worker -> all.addAll(worker.tunnels));
        return all;
    }

    private void later(Runnable task, long nanos) {
        try {
            var _ = timer.schedule(task, nanos, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the relay is closing");
        }
    }

    /** Ends everything. */
    @Override
    public void close() {
        timer.shutdownNow();
        List<Line> lines = new ArrayList<>();
        List<RelayDoor> doors = new ArrayList<>();
        synchronized (this) {
            for (RelayedWorker worker : workers.values()) {
                addIfAny(lines, worker.line);
                addIfAny(doors, worker.door);
            }
        }
        Problem why = Problem.of(Problem.Kind.WORKER_LOST, "This coordinator is shutting down.");
        lines.forEach(line -> line.close(why));
        doors.forEach(RelayDoor::close);
        tunnels().forEach(tunnel -> tunnel.end(why));
    }

    private static <T> void addIfAny(List<T> all, @Nullable T one) {
        if (one != null) {
            all.add(one);
        }
    }

    private final class Rules implements Tunnel.Desk {
        @Override
        public long nanoTime() {
            return nanoClock.getAsLong();
        }

        @Override
        public long passed(Tunnel tunnel, int bytes) {
            RelayedWorker worker;
            synchronized (RelayDesk.this) {
                worker = workers.get(tunnel.workerId());
            }
            if (worker == null) {
                return 0;
            }
            worker.bytes.add(bytes);
            return worker.meter.passed(bytes, bytesPerSecond.getAsInt(), nanoClock.getAsLong());
        }

        @Override
        public void later(Runnable task, long nanos) {
            RelayDesk.this.later(task, nanos);
        }

        @Override
        public void ended(Tunnel tunnel) {
            synchronized (RelayDesk.this) {
                RelayedWorker worker = workers.get(tunnel.workerId());
                if (worker != null) {
                    worker.tunnels.remove(tunnel);
                    worker.waiting.values().remove(tunnel);
                }
            }
        }
    }
}
