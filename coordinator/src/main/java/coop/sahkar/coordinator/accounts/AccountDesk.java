package coop.sahkar.coordinator.accounts;

import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AddKey;
import coop.sahkar.coordinator.state.Command.ChangeAccount;
import coop.sahkar.coordinator.state.Command.ChangePolicy;
import coop.sahkar.coordinator.state.Command.GiveNotice;
import coop.sahkar.coordinator.state.Command.PutAccount;
import coop.sahkar.coordinator.state.Command.RevokeKey;
import coop.sahkar.coordinator.state.Command.SetAccess;
import coop.sahkar.coordinator.state.Command.SetPolicy;
import coop.sahkar.coordinator.state.Command.Setting;
import coop.sahkar.coordinator.state.FeatureLevel;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.governance.Account;
import coop.sahkar.governance.AccountBook;
import coop.sahkar.governance.ApiKey;
import coop.sahkar.governance.PolicySettings;
import coop.sahkar.governance.Role;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Makes and ends keys, changes the policy and gives notice of models that go, for those who may.
 * Waits for the log, so never call it from an event loop.
 *
 * <p>Its methods throw {@link Refused} for what the caller may not or cannot have, and {@link
 * coop.sahkar.coordinator.state.LogUnavailableException} while the log cannot be written.
 */
public final class AccountDesk {
    private static final int ID_BYTES = 8;
    private static final long MOST_NOTICE_MILLIS = 10L * 365 * 24 * 60 * 60 * 1_000;

    private final ReplicatedLog log;
    private final RandomGenerator random;
    private final LongSupplier unixMillis;

    /** What stands against something. */
    public enum Why {
        /** Somebody else could have had it. */
        FORBIDDEN,
        /** It cannot be had. */
        WRONG,
        /** Things stand otherwise than was expected. */
        OVERTAKEN
    }

    /** Why something was not done. */
    public static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final Why why;

        Refused(Why why, String sentence) {
            super(sentence);
            this.why = why;
        }

        /** What stands against it. */
        public Why why() {
            return why;
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
    public Made create(Caller caller, String name, String role, String tier, String label) {
        boolean own = name.isEmpty() || name.equals(caller.name());
        if (!caller.operator() && !(own && caller.ownsKeys() && role.isEmpty() && tier.isEmpty())) {
            throw new Refused(
                    Why.FORBIDDEN,
                    "Only an operator makes keys for others, or changes roles and tiers; %s."
                            .formatted(who(caller)));
        }
        if (label.length() > ApiKey.MAX_LABEL || !label.matches("\\P{Cntrl}*")) {
            throw new Refused(
                    Why.WRONG, "A label is at most %d characters.".formatted(ApiKey.MAX_LABEL));
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

    /**
     * The account of a name, made if there is none, with role and tier as they are said. What is
     * not said stays as it is, also when somebody else changes it at this moment.
     */
    private Account account(Caller caller, String name, String role, String tier) {
        Account own = book().accounts().get(caller.account());
        if (name.isEmpty() && own == null) {
            throw new Refused(Why.WRONG, "Say whose key it will be: --account NAME.");
        }
        String whose = name.isEmpty() && own != null ? own.name() : name;
        Optional<Role> asRole = role.isEmpty() ? Optional.empty() : Optional.of(role(role));
        if (asRole.isPresent() || !tier.isEmpty() || book().named(whose).isEmpty()) {
            ChangeAccount change =
                    new ChangeAccount("acct-" + id(), whose, asRole, tier, unixMillis.getAsLong());
            // Older releases know accounts as a whole only.
            propose(
                    knowsParts()
                            ? change
                            : new PutAccount(change.whole(book().named(change.name()))));
        }
        return book().named(whose)
                .orElseThrow(() -> new Refused(Why.WRONG, "There is no such account any more."));
    }

    private boolean knowsParts() {
        return log.state().cluster().level() >= FeatureLevel.PARTS;
    }

    private static Role role(String word) {
        return Role.named(word)
                .orElseThrow(
                        () -> new Refused(Why.WRONG, "A role is operator, member or service."));
    }

    /** An operator sees all keys, others their own; by account and age. A linearizable read. */
    public List<Listed> keys(Caller caller) {
        if (!caller.operator() && !caller.ownsKeys()) {
            throw new Refused(
                    Why.FORBIDDEN,
                    "Keys are listed for those who may make them; %s.".formatted(who(caller)));
        }
        AccountBook book = log.latest().accounts();
        return book.accounts().values().stream()
                .filter(account -> caller.operator() || account.id().equals(caller.account()))
                .sorted(Comparator.comparing(Account::name))
                .flatMap(account ->
                        book.keysOf(account.id()).stream().map(key -> new Listed(key, account)))
                .toList();
    }

    /** Ends a key: an operator any, others their own. */
    public Listed revoke(Caller caller, String keyId) {
        AccountBook book = log.latest().accounts();
        Optional<ApiKey> key = book.key(keyId);
        boolean own = key.isPresent() && key.get().accountId().equals(caller.account());
        if (!caller.operator() && !(own && caller.ownsKeys())) {
            throw new Refused(
                    Why.FORBIDDEN,
                    "Only an operator ends keys of others; %s.".formatted(who(caller)));
        }
        propose(new RevokeKey(keyId, unixMillis.getAsLong()));
        // Among the revoked keys of its account it may have given way to another already.
        ApiKey ended =
                book().key(keyId)
                        .or(() -> key.map(one -> one.revoked(unixMillis.getAsLong())))
                        .orElseThrow(() -> new Refused(Why.WRONG, "There is no such key."));
        return new Listed(ended, Objects.requireNonNull(book().accounts().get(ended.accountId())));
    }

    /** The policy in force, as far as this coordinator knows. */
    public PolicySettings policy() {
        return settings(log.state());
    }

    /** The policy in force: a linearizable read. */
    public PolicySettings latestPolicy() {
        return settings(log.latest());
    }

    private static PolicySettings settings(PoolState state) {
        return new PolicySettings(state.policy(), state.accounts().access());
    }

    /**
     * Changes the policy, in order, all or nothing; settings that are not named stay as they are,
     * also when somebody else changes them at this moment.
     *
     * @param expected refused unless these settings stand so
     */
    public PolicySettings change(Caller caller, List<Setting> settings, List<Setting> expected) {
        if (!caller.operator()) {
            throw new Refused(
                    Why.FORBIDDEN,
                    "Only an operator changes the policy; %s.".formatted(who(caller)));
        }
        if (knowsParts()) {
            propose(new ChangePolicy(settings, expected));
        } else {
            changeWhole(settings, expected);
        }
        return policy();
    }

    /** While older releases take part in the pool: all of the policy as it is to become. */
    private void changeWhole(List<Setting> settings, List<Setting> expected) {
        if (!expected.isEmpty()) {
            throw new Refused(
                    Why.WRONG,
                    "Not every coordinator of the pool knows conditions; give them this release first, and wait a moment.");
        }
        PolicySettings before = policy();
        PolicySettings after = before;
        try {
            for (Setting setting : settings) {
                after = after.with(setting.name(), setting.value());
            }
        } catch (IllegalArgumentException wrong) {
            throw new Refused(Why.WRONG, String.valueOf(wrong.getMessage()));
        }
        if (!after.access().equals(before.access())) {
            propose(new SetAccess(after.access()));
        }
        if (!after.policy().equals(before.policy())) {
            propose(new SetPolicy(after.policy()));
        }
    }

    /**
     * Gives a model's users notice that it will go.
     *
     * @param name its id, or a name that only one model has
     * @param inMillis from now; empty: as soon as was promised
     */
    public ModelRecord giveNotice(Caller caller, String name, OptionalLong inMillis) {
        mindsModels(caller);
        long promised = log.state().policy().withdrawalNoticeSeconds() * 1_000L;
        long now = unixMillis.getAsLong();
        long in = Math.clamp(inMillis.orElse(promised), 0, MOST_NOTICE_MILLIS);
        return notice(name, now, now + in);
    }

    /** A model that was to go stays. */
    public ModelRecord takeNoticeBack(Caller caller, String name) {
        mindsModels(caller);
        return notice(name, unixMillis.getAsLong(), 0);
    }

    private static void mindsModels(Caller caller) {
        if (!caller.operator()) {
            throw new Refused(
                    Why.FORBIDDEN,
                    "Only an operator withdraws a model; %s.".formatted(who(caller)));
        }
    }

    private ModelRecord notice(String name, long nowMillis, long goneAtMillis) {
        if (log.state().cluster().level() < FeatureLevel.NOTICES) {
            throw new Refused(
                    Why.WRONG,
                    "Not every coordinator of the pool knows how to withdraw a model with notice; give them this release first, and wait a moment.");
        }
        List<ModelRecord> found = log.state().modelsNamed(name);
        if (found.size() != 1) {
            throw new Refused(
                    Why.WRONG,
                    found.isEmpty()
                            ? "No such model is published; 'sahkar models' lists them."
                            : "Several models have this name; use the id of one.");
        }
        String id = found.getFirst().id();
        propose(new GiveNotice(id, nowMillis, goneAtMillis));
        ModelRecord now = log.state().models().get(id);
        return now == null ? found.getFirst().goneAt(goneAtMillis) : now;
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
                    throw new Refused(
                            refusal.reason() == Refusal.Reason.STALE ? Why.OVERTAKEN : Why.WRONG,
                            refusal.message() + ".");
                });
    }

    private String id() {
        byte[] bytes = new byte[ID_BYTES];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
