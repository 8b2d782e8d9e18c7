package coop.sahkar.coordinator.state;

import coop.sahkar.governance.Access;
import coop.sahkar.governance.Account;
import coop.sahkar.governance.ApiKey;
import coop.sahkar.governance.DayUsage;
import coop.sahkar.governance.Policy;
import coop.sahkar.governance.Role;
import coop.sahkar.governance.ledger.UsageBatch;
import java.util.List;
import java.util.Optional;

/**
 * One change of the replicated state, as it stands in the log. Whatever a change needs from outside
 * (time, ids, keys) is a field.
 */
public sealed interface Command {
    /** A worker is new, or says something new of itself. */
    record RegisterWorker(WorkerRecord worker) implements Command {}

    /** A worker will not come back: the pool no longer knows it. */
    record ForgetWorker(String workerId) implements Command {}

    /**
     * A model joins the pool; if it is there already, sources and least number of stages change.
     *
     * @param manifest what it consists of
     * @param sources where its bytes can be had
     * @param minStages cut it into at least this many spans
     * @param atMillis Unix time
     */
    record PublishModel(ModelManifest manifest, List<String> sources, int minStages, long atMillis)
            implements Command {
        public PublishModel {
            sources = List.copyOf(sources);
        }
    }

    /** A model leaves the pool, and with it its shards. */
    record WithdrawModel(String modelId) implements Command {}

    /**
     * A model's users are told that it will go; or that it stays after all.
     *
     * @param atMillis Unix time
     * @param goneAtMillis Unix time from which it takes no new requests; 0: it stays
     */
    record GiveNotice(String modelId, long atMillis, long goneAtMillis) implements Command {}

    /** A new placement takes force; refused unless it was made from the one in force. */
    record AdoptPlacement(Placement placement) implements Command {}

    /** A coordinator announces the key it signs tickets with. */
    record AddTicketKey(TicketKeyRecord key) implements Command {}

    /** Other rules take force. */
    record SetPolicy(Policy policy) implements Command {}

    /**
     * Somebody may join.
     *
     * @param nowMillis Unix time; tokens whose time is over are forgotten
     */
    record IssueToken(JoinTokenRecord token, long nowMillis) implements Command {}

    /**
     * A node joins; one that is known already keeps its number.
     *
     * @param tokenHash of the token that it showed; empty if the operator made its certificate
     */
    record EnrolNode(NodeRecord node, String tokenHash) implements Command {}

    /**
     * A node's certificates count no more.
     *
     * @param nowMillis Unix time
     * @param untilMillis when all its certificates have expired
     */
    record RevokeNode(coop.sahkar.proto.tls.Role role, String id, long nowMillis, long untilMillis)
            implements Command {}

    /** An account is new, or its name, role or tier changes. */
    record PutAccount(Account account) implements Command {}

    /**
     * The account of a name is there from now on, with this role and tier where they are said; what
     * is not said stays as it is.
     *
     * @param id what a new account is called by for ever
     * @param role empty to leave it, or for a member
     * @param tier empty to leave it, or for a member's
     * @param atMillis Unix time
     */
    record ChangeAccount(String id, String name, Optional<Role> role, String tier, long atMillis)
            implements Command {
        /**
         * The account as it is to become.
         *
         * @param before empty if there is none of this name
         */
        public Account whole(Optional<Account> before) {
            Account account =
                    before.orElseGet(
                            () -> new Account(id, name, Role.MEMBER, Access.MEMBER, atMillis));
            return new Account(
                    account.id(),
                    account.name(),
                    role.orElse(account.role()),
                    tier.isEmpty() ? account.tier() : tier,
                    account.createdAtMillis());
        }
    }

    /** A key is given out. */
    record AddKey(ApiKey key) implements Command {}

    /**
     * A key is good no more.
     *
     * @param atMillis Unix time
     */
    record RevokeKey(String keyId, long atMillis) implements Command {}

    /** What accounts have used of their day so far. */
    record NoteDayUsage(DayUsage usage) implements Command {}

    /** Other tiers take force. */
    record SetAccess(Access access) implements Command {}

    /**
     * Some settings of the policy change, and no others.
     *
     * @param settings applied in order, all or none; see {@link
     *     coop.sahkar.governance.PolicySettings}
     * @param expected refused unless these stand so
     */
    record ChangePolicy(List<Setting> settings, List<Setting> expected) implements Command {
        public ChangePolicy {
            settings = List.copyOf(settings);
            expected = List.copyOf(expected);
        }
    }

    /** One setting of the policy and its value, as people write them. */
    record Setting(String name, String value) {}

    /**
     * Nothing changes: whoever sent it knows, when it is applied, everything that was acknowledged
     * anywhere before it was sent.
     */
    record Barrier() implements Command {}

    /** A coordinator has counted work; posted once, however often it comes. */
    record PostUsage(UsageBatch batch) implements Command {}

    /** A coordinator says where it is reached, and what it understands. */
    record AnnounceCoordinator(CoordinatorRecord coordinator) implements Command {}

    /** A coordinator was removed. */
    record ForgetCoordinator(String id) implements Command {}

    /** From here on the log may need a higher {@link FeatureLevel}. */
    record RaiseLevel(int level) implements Command {}
}
