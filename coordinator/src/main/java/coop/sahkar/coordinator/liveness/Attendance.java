package coop.sahkar.coordinator.liveness;

import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.PoolView;
import coop.sahkar.governance.Policy;
import java.util.SortedMap;
import java.util.function.LongSupplier;

/** Who of the pool's workers is here, by the leases and the policy in force. */
public final class Attendance {
    private final PoolView pool;
    private final LeaseTable leases;
    private final LongSupplier clockMillis;

    /**
     * @param clockMillis a monotonic clock, the one that the leases are kept by
     */
    public Attendance(PoolView pool, LeaseTable leases, LongSupplier clockMillis) {
        this.pool = pool;
        this.leases = leases;
        this.clockMillis = clockMillis;
    }

    /** How every worker the pool knows fares at this moment, by id. */
    public SortedMap<String, WorkerPresence> now() {
        PoolState state = pool.state();
        Policy policy = state.policy();
        return leases.presence(
                state.workers().keySet(),
                policy.leaseMillis(),
                policy.detachGraceMillis(),
                clockMillis.getAsLong());
    }

    /** How the workers fare that hold, or work on, a shard of one model, by id. */
    public SortedMap<String, WorkerPresence> holders(String modelId) {
        Policy policy = pool.state().policy();
        return leases.holders(
                modelId, policy.leaseMillis(), policy.detachGraceMillis(), clockMillis.getAsLong());
    }

    /** How one worker fares, whether the pool knows it or not. */
    public WorkerPresence of(String workerId) {
        Policy policy = pool.state().policy();
        return leases.presence(
                workerId,
                policy.leaseMillis(),
                policy.detachGraceMillis(),
                clockMillis.getAsLong());
    }

    /** The leases behind it. */
    public LeaseTable leases() {
        return leases;
    }

    /** The clock it goes by. */
    public long clockMillis() {
        return clockMillis.getAsLong();
    }
}
