package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.placement.PlacementDecision;

/**
 * When a worker that was just let in is told that it is to hold nothing. One that was away for
 * longer than its lease comes back with shards that the placement in force no longer gives it, and
 * that the next one is likely to give it again: it keeps them until that could have been made.
 * Pure.
 */
public final class FirstAssignment {
    /** Time to plan and to adopt a plan. */
    public static final int HELD_MILLIS = 2 * PlacementDecision.PATIENCE_MILLIS;

    private FirstAssignment() {}

    /**
     * Whether a first assignment is to wait.
     *
     * @param empty whether it gives the worker nothing
     * @param admittedMillis how long ago the worker was let in
     */
    public static boolean waits(boolean empty, long admittedMillis) {
        return empty && admittedMillis < HELD_MILLIS;
    }
}
