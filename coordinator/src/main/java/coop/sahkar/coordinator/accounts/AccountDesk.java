package coop.sahkar.coordinator.accounts;

import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AddKey;
import coop.sahkar.coordinator.state.Command.PutAccount;
import coop.sahkar.coordinator.state.Command.RevokeKey;
import coop.sahkar.coordinator.state.Command.SetAccess;
import coop.sahkar.coordinator.state.Command.SetPolicy;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Account;
import coop.sahkar.governance.AccountBook;
import coop.sahkar.governance.ApiKey;
import coop.sahkar.governance.PolicySettings;
import coop.sahkar.governance.Role;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Makes and ends keys and changes the policy, for those who may. Waits for the log, so never call
 * it from an event loop.
 *
 * <p>Its methods throw {@link Refused} for what the caller may not or cannot have, and {@link
 * coop.sahkar.coordinator.state.LogUnavailableException} while the log cannot be written.
 */
public final class AccountDesk {
    private static final int ID_BYTES = 8;

    private final ReplicatedLog log;
    private final RandomGenerator random;
    private final LongSupplier unixMillis;

    /** Why something was not done. */
    public static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final boolean forbidden;

        Refused(boolean forbidden, String sentence) {
            super(sentence);
            this.forbidden = forbidden;
        }

        /** Whether somebody else could have had it. */
        public boolean forbidden() {
            return forbidden;
        }
    }

    /**
     * A key and whose it is.
     *
     * @param key what is known of it
     */
    public record Listed(ApiKey key, Account account) {}

    /**
     * A new key.
     *
     * @param secret the key itself; kept nowhere
     * @param listed what is known of it from now on
     */
    public record Made(String secret, Listed listed) {
        @Override
        public String toString() {
            return "a key of " + listed.account().name();
        }
    }

    public AccountDesk(ReplicatedLog log, RandomGenerator random, LongSupplier unixMillis) {
        this.log = log;
        this.random = random;
        this.unixMillis = unixMillis;
    }

    /**
     * Makes a key.
     *
     * @param name whose; made if there is no such account; empty for the caller's own
     * @param role the account's role from now on; empty to leave it
     * @param tier the account's tier from now on; empty to leave it
     */
    public synchronized Made create(
            Caller caller, String name, String role, String tier, String label) {
        boolean own = name.isEmpty() || name.equals(caller.name());
        if (!caller.operator() && !(own && caller.ownsKeys() && role.isEmpty() && tier.isEmpty())) {
            throw new Refused(
                    true,
                    "Only an operator makes keys for others, or changes roles and tiers; %s."
                            .formatted(who(caller)));
        }
        if (label.length() > ApiKey.MAX_LABEL || !label.matches("\\P{Cntrl}*")) {
            throw new Refused(
                    false, "A label is at most %d characters.".formatted(ApiKey.MAX_LABEL));
        }
        Account account = account(caller, name, role, tier);
        String secret = KeyText.draw(random);
        ApiKey key =
                new ApiKey(
                        "key-" + id(),
                        KeyText.hash(secret),
                        account.id(),
                        label,
                        unixMillis.getAsLong(),
                        0);
        propose(new AddKey(key));
        return new Made(secret, new Listed(key, account));
    }

    private Account account(Caller caller, String name, String role, String tier) {
        AccountBook book = book();
        Account known =
                name.isEmpty()
                        ? book.accounts().get(caller.account())
                        : book.named(name).orElse(null);
        if (known == null && name.isEmpty()) {
            throw new Refused(false, "Say whose key it will be: --account NAME.");
        }
        Account before =
                known != null
                        ? known
                        : new Account(
                                "acct-" + id(),
                                name,
                                Role.MEMBER,
                                Access.MEMBER,
                                unixMillis.getAsLong());
        Account after =
                new Account(
                        before.id(),
                        before.name(),
                        role.isEmpty() ? before.role() : role(role),
                        tier.isEmpty() ? before.tier() : tier,
                        before.createdAtMillis());
        if (!after.equals(known)) {
            propose(new PutAccount(after));
        }
        return after;
    }

    private static Role role(String word) {
        return Role.named(word)
                .orElseThrow(() -> new Refused(false, "A role is operator, member or service."));
    }

    /** An operator sees all keys, others their own; by account and age. */
    public List<Listed> keys(Caller caller) {
        AccountBook book = book();
        if (!caller.operator() && !caller.ownsKeys()) {
            throw new Refused(
                    true,
                    "Keys are listed for those who may make them; %s.".formatted(who(caller)));
        }
        return book.accounts().values().stream()
                .filter(account -> caller.operator() || account.id().equals(caller.account()))
                .sorted(Comparator.comparing(Account::name))
                .flatMap(account ->
                        book.keysOf(account.id()).stream().map(key -> new Listed(key, account)))
                .toList();
    }

    /** Ends a key: an operator any, others their own. */
    public synchronized Listed revoke(Caller caller, String keyId) {
        AccountBook book = book();
        Optional<ApiKey> key = book.key(keyId);
        boolean own = key.isPresent() && key.get().accountId().equals(caller.account());
        if (!caller.operator() && !(own && caller.ownsKeys())) {
            throw new Refused(
                    true, "Only an operator ends keys of others; %s.".formatted(who(caller)));
        }
        propose(new RevokeKey(keyId, unixMillis.getAsLong()));
        ApiKey ended =
                book().key(keyId).orElseThrow(() -> new Refused(false, "there is no such key"));
        return new Listed(ended, Objects.requireNonNull(book().accounts().get(ended.accountId())));
    }

    /** The policy in force. */
    public PolicySettings policy() {
        return new PolicySettings(log.state().policy(), book().access());
    }

    /** Changes the policy, in order, all or nothing. */
    public synchronized PolicySettings change(
            Caller caller, List<Map.Entry<String, String>> settings) {
        if (!caller.operator()) {
            throw new Refused(
                    true, "Only an operator changes the policy; %s.".formatted(who(caller)));
        }
        PolicySettings before = policy();
        PolicySettings after = before;
        try {
            for (Map.Entry<String, String> setting : settings) {
                after = after.with(setting.getKey(), setting.getValue());
            }
        } catch (IllegalArgumentException wrong) {
            throw new Refused(false, String.valueOf(wrong.getMessage()));
        }
        if (!after.access().equals(before.access())) {
            propose(new SetAccess(after.access()));
        }
        if (!after.policy().equals(before.policy())) {
            propose(new SetPolicy(after.policy()));
        }
        return policy();
    }

    /** What an account is called; the id itself where it is none. */
    public String nameOf(String accountId) {
        Account account = book().accounts().get(accountId);
        return account == null ? accountId : account.name();
    }

    /** The tier of an account, or of whoever has none. */
    public String tierOf(String accountId) {
        return book().tierOf(accountId).name();
    }

    private static String who(Caller caller) {
        return caller.keyed()
                ? "%s is a %s".formatted(caller.name(), caller.role().word())
                : "no key was shown";
    }

    private AccountBook book() {
        return log.state().accounts();
    }

    private void propose(Command command) {
        log.propose(command)
                .ifPresent(refusal -> {
                    throw new Refused(false, refusal.message() + ".");
                });
    }

    private String id() {
        byte[] bytes = new byte[ID_BYTES];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
