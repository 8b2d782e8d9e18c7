package coop.sahkar.coordinator.state;

import coop.sahkar.coordinator.state.Refusal.Reason;
import coop.sahkar.proto.Limits;
import java.util.SortedMap;
import java.util.TreeMap;

/** Changes of what coordinators say of themselves. Pure. */
final class ClusterRules {
    /** Coordinators that are remembered; far more than vote. */
    static final int MAX_COORDINATORS = 32;

    private ClusterRules() {}

    static Step announce(PoolState state, CoordinatorRecord coordinator) {
        boolean fits =
                !coordinator.id().isEmpty()
                        && coordinator.id().length() <= Limits.MAX_WORKER_ID
                        && coordinator.gateway().length() <= Limits.MAX_ENDPOINT
                        && coordinator.ticketKeyId().length() <= Limits.MAX_WORKER_ID;
        if (!fits) {
            return Step.refuse(state, Reason.INVALID, "a coordinator needs an id and an address");
        }
        if (coordinator.knowsLevel() < state.cluster().level()) {
            return Step.refuse(
                    state,
                    Reason.INVALID,
                    "the pool is at feature level %s and coordinator %s knows %s: start a newer release"
                            .formatted(
                                    state.cluster().level(),
                                    coordinator.id(),
                                    coordinator.knowsLevel()));
        }
        SortedMap<String, CoordinatorRecord> all = new TreeMap<>(state.cluster().coordinators());
        all.put(coordinator.id(), coordinator);
        if (all.size() > MAX_COORDINATORS) {
            return Step.refuse(
                    state,
                    Reason.FULL,
                    "the pool knows %s coordinators already".formatted(MAX_COORDINATORS));
        }
        return Step.to(StateChange.cluster(state, new Cluster(all, state.cluster().level())));
    }

    static Step forget(PoolState state, String id) {
        SortedMap<String, CoordinatorRecord> all = new TreeMap<>(state.cluster().coordinators());
        if (all.remove(id) == null) {
            return Step.refuse(state, Reason.NOT_FOUND, "no coordinator is called " + id);
        }
        return Step.to(StateChange.cluster(state, new Cluster(all, state.cluster().level())));
    }

    static Step raise(PoolState state, int level) {
        Cluster cluster = state.cluster();
        if (level <= cluster.level()) {
            return Step.refuse(
                    state,
                    Reason.STALE,
                    "the pool is at feature level %s already".formatted(cluster.level()));
        }
        if (level > cluster.knownByAll()) {
            return Step.refuse(
                    state,
                    Reason.INVALID,
                    "not every coordinator knows feature level %s".formatted(level));
        }
        return Step.to(StateChange.cluster(state, new Cluster(cluster.coordinators(), level)));
    }
}
