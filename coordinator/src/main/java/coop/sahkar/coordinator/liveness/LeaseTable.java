package coop.sahkar.coordinator.liveness;

import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.proto.SessionId;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which workers are here and what they last said. Soft state: a coordinator that starts has none of
 * it and knows everything again after one report interval, because every worker reports to every
 * coordinator. Until a lease has passed since the start, workers that have not come back yet are
 * awaited, so that a restart moves nothing.
 *
 * <p>Time is a monotonic clock in milliseconds, passed in. Safe for use by many threads.
 */
public final class LeaseTable {
    private final long startedAtMillis;
    private final SortedMap<String, Lease> leases = new TreeMap<>();
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
        final Map<SessionId, Integer> drawn = new LinkedHashMap<>();
    }

    /** A table that knows nobody. */
    public LeaseTable(long nowMillis) {
        this.startedAtMillis = nowMillis;
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
        lease.shards = List.of();
        return lease.attachment;
    }

    /**
     * A worker reported on its stream.
     *
     * @return whether anything changed that placement or sources depend on
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
        boolean changed = !servingOf(lease.shards).equals(servingOf(shards));
        lease.lastHeardMillis = nowMillis;
        lease.generation = generation;
        lease.shards = List.copyOf(shards);
        lease.drawn.clear();
        return changed;
    }

    /** A worker said that it is leaving: it is gone at once. */
    public synchronized void left(String workerId, long attachment) {
        Lease lease = current(workerId, attachment);
        if (lease != null) {
            lease.left = true;
            lease.shards = List.of();
        }
    }

    /** A worker's stream ended. */
    public synchronized void ended(String workerId, long attachment, long nowMillis) {
        Lease lease = current(workerId, attachment);
        if (lease != null) {
            lease.open = false;
            lease.endedAtMillis = nowMillis;
            lease.shards = List.of();
        }
    }

    /** A session was routed over a worker; its next report will show it. */
    public synchronized void drawn(String workerId, SessionId session, int positions) {
        Lease lease = leases.get(workerId);
        if (lease != null) {
            lease.drawn.put(session, positions);
        }
    }

    /** A routed session is over: short ones come and go between two reports. */
    public synchronized void released(String workerId, SessionId session) {
        Lease lease = leases.get(workerId);
        if (lease != null) {
            lease.drawn.remove(session);
        }
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
            Lease lease = leases.get(id);
            all.put(
                    id,
                    lease == null
                            ? neverHeard(id, leaseMillis, nowMillis)
                            : presence(id, lease, leaseMillis, graceMillis, nowMillis));
        }
        return all;
    }

    private WorkerPresence neverHeard(String id, long leaseMillis, long nowMillis) {
        Standing standing =
                nowMillis - startedAtMillis < leaseMillis ? Standing.AWAITED : Standing.GONE;
        return new WorkerPresence(id, standing, 0, List.of(), 0, 0, 0);
    }

    private static WorkerPresence presence(
            String id, Lease lease, long leaseMillis, long graceMillis, long nowMillis) {
        Standing standing;
        if (lease.left || nowMillis - lease.lastHeardMillis >= leaseMillis) {
            standing = Standing.GONE;
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
                standing == Standing.HERE ? lease.shards : List.of(),
                lease.generation,
                lease.drawn.size(),
                lease.drawn.values().stream().mapToLong(Integer::longValue).sum());
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
