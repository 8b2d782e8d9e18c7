package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.bench.Histories.Outcome;
import coop.sahkar.deploy.history.Action;
import coop.sahkar.deploy.history.Operation;
import coop.sahkar.proto.v1.AccountsGrpc.AccountsBlockingStub;
import coop.sahkar.proto.v1.CreateKeyReply;
import coop.sahkar.proto.v1.CreateKeyRequest;
import coop.sahkar.proto.v1.KeyMessage;
import coop.sahkar.proto.v1.ListKeysRequest;
import coop.sahkar.proto.v1.PolicySetting;
import coop.sahkar.proto.v1.RevokeKeyRequest;
import coop.sahkar.proto.v1.SetPolicyRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One client of one coordinator: reads, writes and swaps settings of the policy, moves accounts
 * between tiers, makes and ends keys, lists them, and writes down what it heard. Not thread-safe.
 */
final class RegisterClient {
    private static final int MOST_KEYS = 2;
    private static final Pattern IS_NOT = Pattern.compile("is '([^']*)' and not '");

    private final String name;
    private final Registers registers;
    private final Histories histories;
    private final Supplier<AccountsBlockingStub> accounts;
    private final Supplier<Map<String, String>> policy;
    private final boolean onlyReads;
    private final RandomGenerator random;
    private final Map<String, String> seen = new TreeMap<>();
    private final Deque<KeyMessage> keys = new ArrayDeque<>();

    /** Labels of keys that may have been made. */
    private final Set<String> orphans = new TreeSet<>();

    /**
     * @param name of client and coordinator, for people
     * @param accounts the coordinator's accounts, with a fresh deadline
     * @param policy reads the settings there
     * @param onlyReads it does nothing else: who writes waits long at a coordinator that is cut off
     */
    RegisterClient(
            String name,
            Registers registers,
            Histories histories,
            Supplier<AccountsBlockingStub> accounts,
            Supplier<Map<String, String>> policy,
            boolean onlyReads,
            RandomGenerator random) {
        this.name = name;
        this.registers = registers;
        this.histories = histories;
        this.accounts = accounts;
        this.policy = policy;
        this.onlyReads = onlyReads;
        this.random = random;
    }

    /** One call of some kind. */
    void call() {
        if (onlyReads) {
            read();
            return;
        }
        switch (random.nextInt(10)) {
            case 0, 1, 2 -> read();
            case 3, 4 -> write();
            case 5, 6 -> swap();
            case 7 -> list();
            case 8 -> create();
            default -> {
                if (keys.size() < MOST_KEYS) {
                    create();
                } else {
                    revoke();
                }
            }
        }
    }

    private void read() {
        long called = System.nanoTime();
        try {
            Map<String, String> settings = policy.get();
            long returned = System.nanoTime();
            for (String register : registers.settings()) {
                String value = settings.get(register);
                if (value != null) {
                    seen.put(register, value);
                    add(register, new Action.Read(value), called, returned);
                }
            }
            histories.count(Outcome.ACKNOWLEDGED);
        } catch (StatusRuntimeException e) {
            histories.count(Outcome.REFUSED);
        }
    }

    private void write() {
        String register = registers.setting(random);
        String value = registers.freshValue(register);
        SetPolicyRequest request =
                SetPolicyRequest.newBuilder().addSettings(setting(register, value)).build();
        long called = System.nanoTime();
        change(
                () -> accounts.get().setPolicy(request),
                returned -> add(register, new Action.Write(value), called, returned),
                RegisterClient::unexpected);
    }

    private void swap() {
        String register = registers.setting(random);
        String expected = seen.getOrDefault(register, "");
        String value = registers.freshValue(register);
        SetPolicyRequest request =
                SetPolicyRequest.newBuilder()
                        .addSettings(setting(register, value))
                        .addExpected(setting(register, expected))
                        .build();
        long called = System.nanoTime();
        change(
                () -> accounts.get().setPolicy(request),
                returned -> add(register, new Action.Swap(expected, value), called, returned),
                refused -> {
                    Matcher is = IS_NOT.matcher(String.valueOf(refused.getDescription()));
                    if (!is.find()) {
                        unexpected(refused);
                    }
                    seen.put(register, is.group(1));
                    add(register, new Action.Read(is.group(1)), called, System.nanoTime());
                });
    }

    private void create() {
        String account = registers.account(random);
        String tier = registers.tier(random);
        String label = registers.newKey(histories);
        CreateKeyRequest request =
                CreateKeyRequest.newBuilder()
                        .setAccount(account)
                        .setTier(tier)
                        .setLabel(label)
                        .build();
        long called = System.nanoTime();
        change(
                        () -> accounts.get().createKey(request),
                        returned -> {
                            add(
                                    Registers.tierOf(account),
                                    new Action.Write(tier),
                                    called,
                                    returned);
                            if (returned == Operation.NEVER) {
                                orphans.add(label);
                            }
                            add(
                                    Registers.key(label),
                                    new Action.Swap(Registers.GONE, Registers.GOOD),
                                    called,
                                    returned);
                        },
                        _ -> // the account has keys enough; its tier may have changed before
                        add(
                                        Registers.tierOf(account),
                                        new Action.Write(tier),
                                        called,
                                        Operation.NEVER))
                .map(CreateKeyReply::getKey)
                .ifPresent(keys::add);
    }

    private void revoke() {
        KeyMessage key = keys.remove();
        RevokeKeyRequest request = RevokeKeyRequest.newBuilder().setKeyId(key.getId()).build();
        long called = System.nanoTime();
        change(
                () -> accounts.get().revokeKey(request),
                returned ->
                        add(
                                Registers.key(key.getLabel()),
                                new Action.Write(Registers.GONE),
                                called,
                                returned),
                RegisterClient::unexpected);
    }

    private void list() {
        List<String> recent = registers.recentKeys();
        long called = System.nanoTime();
        try {
            List<KeyMessage> listed =
                    accounts.get().listKeys(ListKeysRequest.getDefaultInstance()).getKeysList();
            long returned = System.nanoTime();
            Map<String, String> tiers = new TreeMap<>();
            Set<String> good = new TreeSet<>();
            for (KeyMessage key : listed) {
                tiers.put(key.getAccount(), key.getTier());
                if (key.getRevokedAtMillis() == 0) {
                    good.add(key.getLabel());
                    if (orphans.remove(key.getLabel())) {
                        keys.add(key);
                    }
                }
            }
            tiers.forEach((account, tier) ->
                    add(Registers.tierOf(account), new Action.Read(tier), called, returned));
            for (String label : recent) {
                String value = good.contains(label) ? Registers.GOOD : Registers.GONE;
                add(Registers.key(label), new Action.Read(value), called, returned);
            }
            histories.count(Outcome.ACKNOWLEDGED);
        } catch (StatusRuntimeException e) {
            histories.count(Outcome.REFUSED);
        }
    }

    /**
     * Has something changed.
     *
     * @param note is told when the answer came; {@link Operation#NEVER} if it may yet take effect
     * @param refused is told why it took no effect
     */
    private <T> Optional<T> change(Supplier<T> call, LongConsumer note, Consumer<Status> refused) {
        try {
            T reply = call.get();
            note.accept(System.nanoTime());
            histories.count(Outcome.ACKNOWLEDGED);
            return Optional.of(reply);
        } catch (StatusRuntimeException e) {
            Status.Code code = e.getStatus().getCode();
            if (code == Status.Code.UNAVAILABLE
                    || code == Status.Code.DEADLINE_EXCEEDED
                    || code == Status.Code.CANCELLED) {
                note.accept(Operation.NEVER);
                histories.count(Outcome.UNKNOWN);
            } else {
                refused.accept(e.getStatus());
                histories.count(Outcome.REFUSED);
            }
            return Optional.empty();
        }
    }

    private static void unexpected(Status status) {
        throw new BenchException("A coordinator said: %s".formatted(status));
    }

    private void add(String register, Action action, long called, long returned) {
        histories.add(register, new Operation(name, action, called, returned));
    }

    private static PolicySetting setting(String register, String value) {
        return PolicySetting.newBuilder().setName(register).setValue(value).build();
    }
}
