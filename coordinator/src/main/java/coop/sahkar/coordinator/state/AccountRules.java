package coop.sahkar.coordinator.state;

import coop.sahkar.coordinator.state.Command.ChangeAccount;
import coop.sahkar.coordinator.state.Refusal.Reason;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Account;
import coop.sahkar.governance.AccountBook;
import coop.sahkar.governance.ApiKey;
import coop.sahkar.governance.DayUsage;
import java.util.List;
import java.util.Optional;

/** What becomes of accounts, keys and tiers when a command asks for it. */
final class AccountRules {
    /** Accounts the pool knows. */
    static final int MAX_ACCOUNTS = 10_000;

    /** Keys of one account; of the revoked ones the oldest give way. */
    static final int MAX_KEYS_OF_ONE = 32;

    private static final String ID = "[a-z0-9-]{1,64}";
    private static final String HASH = "[0-9a-f]{64}";

    private AccountRules() {}

    static Step putAccount(PoolState state, Account account) {
        AccountBook book = state.accounts();
        if (!account.id().matches(ID)
                || !account.name().matches(Account.NAME)
                || account.name().equals(Account.COMMONS)) {
            return Step.refuse(
                    state,
                    Reason.INVALID,
                    "an account's name is 1 to 64 letters, digits, dots, dashes, underscores and @,"
                            + " and not commons");
        }
        if (!book.access().tiers().containsKey(account.tier())) {
            return Step.refuse(state, Reason.NOT_FOUND, noTier(account.tier(), book.access()));
        }
        Optional<Account> namesake = book.named(account.name());
        if (namesake.isPresent() && !namesake.get().id().equals(account.id())) {
            return Step.refuse(
                    state,
                    Reason.INVALID,
                    "another account is called %s already".formatted(account.name()));
        }
        Account known = book.accounts().get(account.id());
        if (known == null && book.accounts().size() >= MAX_ACCOUNTS) {
            return Step.refuse(
                    state, Reason.FULL, "the pool has %s accounts".formatted(MAX_ACCOUNTS));
        }
        Account kept =
                known == null
                        ? account
                        : new Account(
                                account.id(),
                                account.name(),
                                account.role(),
                                account.tier(),
                                known.createdAtMillis());
        return Step.to(StateChange.accounts(state, book.with(kept)));
    }

    static Step changeAccount(PoolState state, ChangeAccount change) {
        AccountBook book = state.accounts();
        Optional<Account> known = book.named(change.name());
        if (known.isEmpty() && book.accounts().containsKey(change.id())) {
            return Step.refuse(state, Reason.INVALID, "another account has this id already");
        }
        return putAccount(state, change.whole(known));
    }

    static Step addKey(PoolState state, ApiKey key) {
        AccountBook book = state.accounts();
        if (!key.id().matches(ID)
                || !key.hash().matches(HASH)
                || key.label().length() > ApiKey.MAX_LABEL
                || !key.good()) {
            return Step.refuse(
                    state,
                    Reason.INVALID,
                    "a new key needs an id, a hash and a label of at most %s characters"
                            .formatted(ApiKey.MAX_LABEL));
        }
        if (!book.accounts().containsKey(key.accountId())) {
            return Step.refuse(state, Reason.NOT_FOUND, "there is no such account");
        }
        if (book.keys().containsKey(key.hash()) || book.key(key.id()).isPresent()) {
            return Step.refuse(state, Reason.INVALID, "there is such a key already");
        }
        List<ApiKey> others = book.keysOf(key.accountId());
        if (others.size() >= MAX_KEYS_OF_ONE) {
            Optional<ApiKey> ended = others.stream().filter(other -> !other.good()).findFirst();
            if (ended.isEmpty()) {
                return Step.refuse(
                        state,
                        Reason.FULL,
                        "the account has %s keys; revoke one first".formatted(MAX_KEYS_OF_ONE));
            }
            book = book.without(ended.get());
        }
        return Step.to(StateChange.accounts(state, book.with(key)));
    }

    static Step revokeKey(PoolState state, String keyId, long atMillis) {
        Optional<ApiKey> key = state.accounts().key(keyId);
        if (key.isEmpty()) {
            return Step.refuse(state, Reason.NOT_FOUND, "there is no such key");
        }
        // Twice is as good as once, and the first time counts.
        return key.get().good()
                ? Step.to(
                        StateChange.accounts(
                                state,
                                state.accounts().with(key.get().revoked(Math.max(1, atMillis)))))
                : Step.to(state);
    }

    static Step setAccess(PoolState state, Access access) {
        AccountBook book = state.accounts();
        Optional<Account> homeless =
                book.accounts().values().stream()
                        .filter(account -> !access.tiers().containsKey(account.tier()))
                        .findFirst();
        if (homeless.isPresent()) {
            return Step.refuse(
                    state,
                    Reason.INVALID,
                    "account %s is in tier %s; give it another first"
                            .formatted(homeless.get().name(), homeless.get().tier()));
        }
        return Step.to(StateChange.accounts(state, book.with(access)));
    }

    static Step noteDayUsage(PoolState state, DayUsage usage) {
        if (usage.day() < 0 || usage.tokens().values().stream().anyMatch(used -> used < 0)) {
            return Step.refuse(state, Reason.INVALID, "nobody uses less than nothing");
        }
        return Step.to(StateChange.accounts(state, state.accounts().with(usage)));
    }

    private static String noTier(String tier, Access access) {
        String shown = tier.substring(0, Math.min(tier.length(), 40));
        return "there is no tier '%s'; there are %s"
                .formatted(shown, String.join(", ", access.tiers().keySet()));
    }
}
