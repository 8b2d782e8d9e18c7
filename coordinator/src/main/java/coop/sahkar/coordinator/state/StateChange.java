package coop.sahkar.coordinator.state;

import coop.sahkar.governance.AccountBook;
import coop.sahkar.governance.Policy;
import coop.sahkar.governance.ledger.Ledger;
import java.util.List;
import java.util.SortedMap;
import java.util.function.Consumer;

/** The same state with one part replaced. */
final class StateChange {
    private StateChange() {}

    static PoolState policy(PoolState s, Policy policy) {
        return with(s, parts -> parts.policy = policy);
    }

    static PoolState workers(PoolState s, SortedMap<String, WorkerRecord> workers) {
        return with(s, parts -> parts.workers = workers);
    }

    static PoolState models(PoolState s, SortedMap<String, ModelRecord> models) {
        return with(s, parts -> parts.models = models);
    }

    static PoolState placement(PoolState s, Placement placement) {
        return with(s, parts -> parts.placement = placement);
    }

    static PoolState ticketKeys(PoolState s, SortedMap<String, TicketKeyRecord> ticketKeys) {
        return with(s, parts -> parts.ticketKeys = ticketKeys);
    }

    static PoolState accounts(PoolState s, AccountBook accounts) {
        return with(s, parts -> parts.accounts = accounts);
    }

    static PoolState ledger(PoolState s, Ledger ledger) {
        return with(s, parts -> parts.ledger = ledger);
    }

    static PoolState cluster(PoolState s, Cluster cluster) {
        return with(s, parts -> parts.cluster = cluster);
    }

    static PoolState members(PoolState s, Membership members) {
        return with(s, parts -> parts.members = members);
    }

    static PoolState recent(PoolState s, List<AppliedCommand> recent) {
        return with(s, parts -> parts.recent = recent);
    }

    private static PoolState with(PoolState s, Consumer<Parts> change) {
        Parts parts = new Parts(s);
        change.accept(parts);
        return parts.together();
    }

    /** All parts of a state, to be changed and put together again. */
    private static final class Parts {
        private Policy policy;
        private SortedMap<String, WorkerRecord> workers;
        private SortedMap<String, ModelRecord> models;
        private Placement placement;
        private SortedMap<String, TicketKeyRecord> ticketKeys;
        private AccountBook accounts;
        private Ledger ledger;
        private Cluster cluster;
        private Membership members;
        private List<AppliedCommand> recent;

        Parts(PoolState s) {
            policy = s.policy();
            workers = s.workers();
            models = s.models();
            placement = s.placement();
            ticketKeys = s.ticketKeys();
            accounts = s.accounts();
            ledger = s.ledger();
            cluster = s.cluster();
            members = s.members();
            recent = s.recent();
        }

        PoolState together() {
            return new PoolState(
                    policy,
                    workers,
                    models,
                    placement,
                    ticketKeys,
                    accounts,
                    ledger,
                    cluster,
                    members,
                    recent);
        }
    }
}
