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

    /** The leases behind it. */
    public LeaseTable leases() {
        return leases;
    }

    /** The clock it goes by. */
    public long clockMillis() {
        return clockMillis.getAsLong();
    }
}
