package coop.sahkar.coordinator.state;

import coop.sahkar.governance.Policy;
import java.util.List;
import java.util.SortedMap;

/** The same state with one part replaced. */
final class StateChange {
    private StateChange() {}

    static PoolState policy(PoolState s, Policy policy) {
        return new PoolState(
                policy,
                s.workers(),
                s.models(),
                s.placement(),
                s.ticketKeys(),
                s.recent(),
                s.members());
    }

    static PoolState workers(PoolState s, SortedMap<String, WorkerRecord> workers) {
        return new PoolState(
                s.policy(),
                workers,
                s.models(),
                s.placement(),
                s.ticketKeys(),
                s.recent(),
                s.members());
    }

    static PoolState models(PoolState s, SortedMap<String, ModelRecord> models) {
        return new PoolState(
                s.policy(),
                s.workers(),
                models,
                s.placement(),
                s.ticketKeys(),
                s.recent(),
                s.members());
    }

    static PoolState placement(PoolState s, Placement placement) {
        return new PoolState(
                s.policy(),
                s.workers(),
                s.models(),
                placement,
                s.ticketKeys(),
                s.recent(),
                s.members());
    }

    static PoolState ticketKeys(PoolState s, SortedMap<String, TicketKeyRecord> keys) {
        return new PoolState(
                s.policy(), s.workers(), s.models(), s.placement(), keys, s.recent(), s.members());
    }

    static PoolState recent(PoolState s, List<AppliedCommand> recent) {
        return new PoolState(
                s.policy(),
                s.workers(),
                s.models(),
                s.placement(),
                s.ticketKeys(),
                recent,
                s.members());
    }

    static PoolState members(PoolState s, Membership members) {
        return new PoolState(
                s.policy(),
                s.workers(),
                s.models(),
                s.placement(),
                s.ticketKeys(),
                s.recent(),
                members);
    }
}
