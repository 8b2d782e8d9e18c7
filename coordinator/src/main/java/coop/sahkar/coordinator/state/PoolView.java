package coop.sahkar.coordinator.state;

/** Reads the newest state applied on this coordinator. Safe for use by many threads. */
public interface PoolView {
    /** The state as it is now; immutable. Another coordinator may already be ahead of it. */
    PoolState state();
}
