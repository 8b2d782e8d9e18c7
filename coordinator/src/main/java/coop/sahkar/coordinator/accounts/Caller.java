package coop.sahkar.coordinator.accounts;

import coop.sahkar.governance.Access;
import coop.sahkar.governance.Account;
import coop.sahkar.governance.Role;
import coop.sahkar.governance.Tier;

/**
 * Whose request it is.
 *
 * @param account the account's id; for a caller without a key, the network address it comes from.
 *     It decides whose turn it is, whose chats go on and whose limits count; workers learn a mark
 *     of it only
 * @param name what people call it
 * @param keyed whether a key was shown
 * @param role what it may do beside asking
 * @param tier the limits it is held to
 */
public record Caller(String account, String name, boolean keyed, Role role, Tier tier) {
    /** Who holds the key of a coordinator's data folder; it has no account. */
    static final String HOST = "operator-of-the-host";

    static Caller of(Account account, Tier tier) {
        return new Caller(account.id(), account.name(), true, account.role(), tier);
    }

    static Caller anonymous(String address, Tier tier) {
        return new Caller(address, address, false, Role.SERVICE, tier);
    }

    static Caller host() {
        return new Caller(HOST, HOST, true, Role.OPERATOR, Tier.unlimited(Access.MEMBER));
    }

    /** Whether it may do what only operators may. */
    public boolean operator() {
        return keyed && role == Role.OPERATOR;
    }

    /** Whether it may make and end keys of its own account. */
    public boolean ownsKeys() {
        return keyed && role != Role.SERVICE && !account.equals(HOST);
    }
}
