package coop.sahkar.coordinator.state;

import coop.sahkar.governance.AccountBook;
import coop.sahkar.governance.Policy;
import coop.sahkar.governance.ledger.Ledger;
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
                s.accounts(),
                s.ledger(),
                s.cluster(),
                s.members(),
                s.recent());
    }

    static PoolState workers(PoolState s, SortedMap<String, WorkerRecord> workers) {
        return new PoolState(
                s.policy(),
                workers,
                s.models(),
                s.placement(),
                s.ticketKeys(),
                s.accounts(),
                s.ledger(),
                s.cluster(),
                s.members(),
                s.recent());
    }

    static PoolState models(PoolState s, SortedMap<String, ModelRecord> models) {
        return new PoolState(
                s.policy(),
                s.workers(),
                models,
                s.placement(),
                s.ticketKeys(),
                s.accounts(),
                s.ledger(),
                s.cluster(),
                s.members(),
                s.recent());
    }

    static PoolState placement(PoolState s, Placement placement) {
        return new PoolState(
                s.policy(),
                s.workers(),
                s.models(),
                placement,
                s.ticketKeys(),
                s.accounts(),
                s.ledger(),
                s.cluster(),
                s.members(),
                s.recent());
    }

    static PoolState ticketKeys(PoolState s, SortedMap<String, TicketKeyRecord> ticketKeys) {
        return new PoolState(
                s.policy(),
                s.workers(),
                s.models(),
                s.placement(),
                ticketKeys,
                s.accounts(),
                s.ledger(),
                s.cluster(),
                s.members(),
                s.recent());
    }

    static PoolState accounts(PoolState s, AccountBook accounts) {
        return new PoolState(
                s.policy(),
                s.workers(),
                s.models(),
                s.placement(),
                s.ticketKeys(),
                accounts,
                s.ledger(),
                s.cluster(),
                s.members(),
                s.recent());
    }

    static PoolState ledger(PoolState s, Ledger ledger) {
        return new PoolState(
                s.policy(),
                s.workers(),
                s.models(),
                s.placement(),
                s.ticketKeys(),
                s.accounts(),
                ledger,
                s.cluster(),
                s.members(),
                s.recent());
    }

    static PoolState cluster(PoolState s, Cluster cluster) {
        return new PoolState(
                s.policy(),
                s.workers(),
                s.models(),
                s.placement(),
                s.ticketKeys(),
                s.accounts(),
                s.ledger(),
                cluster,
                s.members(),
                s.recent());
    }

    static PoolState members(PoolState s, Membership members) {
        return new PoolState(
                s.policy(),
                s.workers(),
                s.models(),
                s.placement(),
                s.ticketKeys(),
                s.accounts(),
                s.ledger(),
                s.cluster(),
                members,
                s.recent());
    }

    static PoolState recent(PoolState s, List<AppliedCommand> recent) {
        return new PoolState(
                s.policy(),
                s.workers(),
                s.models(),
                s.placement(),
                s.ticketKeys(),
                s.accounts(),
                s.ledger(),
                s.cluster(),
                s.members(),
                recent);
    }
}
