package coop.sahkar.coordinator.liveness;

import coop.sahkar.coordinator.liveness.WorkerPresence.Reach;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which workers are here and what they last said. Soft state: a coordinator that starts has none of
 * it and knows everything again after one report interval, because every worker reports to every
 * coordinator. Until a lease has passed since the start, or since it began to lead, workers that it
 * has not heard of yet are awaited, so that a restart or an election moves nothing.
 *
 * <p>Time is a monotonic clock in milliseconds, passed in. Safe for use by many threads.
 */
public final class LeaseTable {
    private long awaitingSinceMillis;
    private final SortedMap<String, Lease> leases = new TreeMap<>();
    private final SortedMap<String, SortedSet<String>> holders = new TreeMap<>();
    private long nextAttachment = 1;

    /** What is known of one worker. */
    private static final class Lease {
        long attachment;
        boolean open;
        boolean left;
        long lastHeardMillis;
        long endedAtMillis;
        long generation;
        List<ShardStatus> shards = List.of();
        Reach dialled = Reach.DIRECT;
        String relayEndpoint = "";
        final Reservations reservations = new Reservations();
    }

    /** A table that knows nobody. */
    public LeaseTable(long nowMillis) {
        this.awaitingSinceMillis = nowMillis;
    }

    /** This coordinator begins to lead: whom it has never heard of has a full lease to come. */
    public synchronized void awaitAnew(long nowMillis) {
        awaitingSinceMillis = nowMillis;
    }

    /**
     * A worker's stream opened; an older one of the same worker no longer counts.
     *
     * @return names this stream in later calls
     */
    public synchronized long attached(String workerId, long nowMillis) {
        Lease lease = leases.computeIfAbsent(workerId, id -> new Lease());
        lease.attachment = nextAttachment++;
        lease.open = true;
        lease.left = false;
        lease.lastHeardMillis = nowMillis;
        hold(workerId, lease, List.of());
        lease.reservations.clear();
        return lease.attachment;
    }

    /**
     * A worker reported on its stream.
     *
     * @return whether anything changed that placement or sources depend on; always of one that is
     *     leaving, which waits for what others report
     */
    public synchronized boolean reported(
            String workerId,
            long attachment,
            long generation,
            List<ShardStatus> shards,
            long nowMillis) {
        Lease lease = current(workerId, attachment);
        if (lease == null) {
            return false;
        }
        boolean changed = false;
        if (!lease.shards.equals(shards)) {
            changed = !servingOf(lease.shards).equals(servingOf(shards));
            hold(workerId, lease, List.copyOf(shards));
        }
        lease.lastHeardMillis = nowMillis;
        lease.generation = generation;
        lease.reservations.reported(nowMillis);
        return changed || lease.left;
    }

    /**
     * What dialling a worker's endpoint came to.
     *
     * @param dialled direct, testing or unreachable; whether it has a relay is known here
     */
    public synchronized void dialled(String workerId, long attachment, Reach dialled) {
        Lease lease = current(workerId, attachment);
        if (lease != null) {
            lease.dialled = dialled;
        }
    }

    /**
     * A worker opened a relay, or closed it.
     *
     * @param endpoint where it is reached through this coordinator; empty when not any more
     */
    public synchronized void relayed(String workerId, String endpoint) {
        Lease lease = leases.get(workerId);
        if (lease != null) {
            lease.relayEndpoint = endpoint;
        }
    }

    /** Whether a worker's stream is open. */
    public synchronized boolean isAttached(String workerId) {
        Lease lease = leases.get(workerId);
        return lease != null && lease.open && !lease.left;
    }

    /** A worker said that it is leaving: it is gone with its stream. */
    public synchronized void left(String workerId, long attachment) {
        Lease lease = current(workerId, attachment);
        if (lease != null) {
            lease.left = true;
        }
    }

    /** A worker's stream ended. */
    public synchronized void ended(String workerId, long attachment, long nowMillis) {
        Lease lease = current(workerId, attachment);
        if (lease != null) {
            lease.open = false;
            lease.endedAtMillis = nowMillis;
            hold(workerId, lease, List.of());
        }
    }

    private void hold(String workerId, Lease lease, List<ShardStatus> shards) {
        for (ShardStatus shard : lease.shards) {
            SortedSet<String> workers = holders.get(shard.modelId());
            if (workers != null && workers.remove(workerId) && workers.isEmpty()) {
                holders.remove(shard.modelId());
            }
        }
        for (ShardStatus shard : shards) {
            holders.computeIfAbsent(shard.modelId(), _ -> new TreeSet<>()).add(workerId);
        }
        lease.shards = shards;
    }

    /** A session was routed over the workers of a ticket; later reports will show it. */
    public synchronized void drawn(Ticket ticket, long nowMillis) {
        for (RouteStage stage : ticket.stages()) {
            Lease lease = leases.get(stage.workerId());
            if (lease != null) {
                lease.reservations.drawn(ticket, nowMillis);
            }
        }
    }

    /**
     * A session left a route for a newer one; the workers it does not use any more are free of it.
     */
    public synchronized void rerouted(Ticket before, Ticket next, long nowMillis) {
        drawn(next, nowMillis);
        released(before);
    }

    /** A routed session is over, or has a newer route; later reports will show that too. */
    public synchronized void released(Ticket ticket) {
        for (RouteStage stage : ticket.stages()) {
            Lease lease = leases.get(stage.workerId());
            if (lease != null) {
                lease.reservations.released(ticket);
            }
        }
    }

    /** KV positions that a session routed from here has at a worker already. */
    public synchronized int held(String workerId, SessionId session) {
        Lease lease = leases.get(workerId);
        return lease == null ? 0 : lease.reservations.held(session);
    }

    /** How the workers fare that hold, or work on, a shard of one model. */
    public synchronized SortedMap<String, WorkerPresence> holders(
            String modelId, long leaseMillis, long graceMillis, long nowMillis) {
        SortedMap<String, WorkerPresence> all = new TreeMap<>();
        for (String id : holders.getOrDefault(modelId, Collections.emptySortedSet())) {
            Lease lease = leases.get(id);
            if (lease != null) {
                all.put(id, presence(id, lease, leaseMillis, graceMillis, nowMillis));
            }
        }
        return all;
    }

    /** How one worker fares. */
    public synchronized WorkerPresence presence(
            String workerId, long leaseMillis, long graceMillis, long nowMillis) {
        Lease lease = leases.get(workerId);
        return lease == null
                ? neverHeard(workerId, leaseMillis, nowMillis)
                : presence(workerId, lease, leaseMillis, graceMillis, nowMillis);
    }

    /**
     * How every worker fares. Those that the pool has forgotten are forgotten here too, but for one
     * that is attaching: it registers in a moment.
     *
     * @param workerIds the workers the pool knows
     * @param leaseMillis silence after which a worker is gone
     * @param graceMillis how long a broken stream may stay broken
     */
    public synchronized SortedMap<String, WorkerPresence> presence(
            Collection<String> workerIds, long leaseMillis, long graceMillis, long nowMillis) {
        leases.entrySet().removeIf(e -> !e.getValue().open && !workerIds.contains(e.getKey()));
        SortedMap<String, WorkerPresence> all = new TreeMap<>();
        for (String id : workerIds) {
            all.put(id, presence(id, leaseMillis, graceMillis, nowMillis));
        }
        return all;
    }

    private WorkerPresence neverHeard(String id, long leaseMillis, long nowMillis) {
        Standing standing =
                nowMillis - awaitingSinceMillis < leaseMillis ? Standing.AWAITED : Standing.GONE;
        return new WorkerPresence(id, standing, 0, List.of(), 0, new TreeMap<>());
    }

    private static WorkerPresence presence(
            String id, Lease lease, long leaseMillis, long graceMillis, long nowMillis) {
        Standing standing;
        if (nowMillis - lease.lastHeardMillis >= leaseMillis || (lease.left && !lease.open)) {
            standing = Standing.GONE;
        } else if (lease.left) {
            standing = Standing.LEAVING;
        } else if (lease.open) {
            standing = Standing.HERE;
        } else if (nowMillis - lease.endedAtMillis < graceMillis) {
            standing = Standing.BROKEN_OFF;
        } else {
            standing = Standing.GONE;
        }
        return new WorkerPresence(
                id,
                standing,
                lease.lastHeardMillis,
                standing == Standing.HERE || standing == Standing.LEAVING
                        ? lease.shards
                        : List.of(),
                lease.generation,
                lease.reservations.unreported(),
                reach(lease),
                lease.relayEndpoint);
    }

    private static Reach reach(Lease lease) {
        boolean relays = lease.dialled == Reach.UNREACHABLE && !lease.relayEndpoint.isEmpty();
        return relays ? Reach.RELAYED : lease.dialled;
    }

    private @Nullable Lease current(String workerId, long attachment) {
        Lease lease = leases.get(workerId);
        return lease != null && lease.attachment == attachment ? lease : null;
    }

    private static List<ShardStatus> servingOf(List<ShardStatus> shards) {
        return shards.stream().filter(ShardStatus::serving).map(LeaseTable::identity).toList();
    }

    private static ShardStatus identity(ShardStatus s) {
        return new ShardStatus(
                s.modelId(),
                s.span(),
                s.phase(),
                0,
                0,
                "",
                0,
                0,
                0,
                0,
                0,
                0,
                ShardStatus.Pace.UNKNOWN);
    }
}
