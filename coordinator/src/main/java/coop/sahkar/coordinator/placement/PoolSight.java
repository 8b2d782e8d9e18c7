package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.state.PoolState;
import java.util.SortedMap;
import java.util.SortedSet;

/**
 * What a coordinator knows at one moment, as far as placement depends on it.
 *
 * @param state the replicated state
 * @param presence how every worker fares, by id
 * @param unsourced models, by id, whose published sources do not answer: their bytes can be had
 *     from workers alone
 * @param leads whether this coordinator may propose
 * @param nowMillis its monotonic clock, the one that presence goes by
 */
public record PoolSight(
        PoolState state,
        SortedMap<String, WorkerPresence> presence,
        SortedSet<String> unsourced,
        boolean leads,
        long nowMillis) {}
