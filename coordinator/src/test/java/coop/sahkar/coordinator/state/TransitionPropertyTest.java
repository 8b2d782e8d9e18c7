package coop.sahkar.coordinator.state;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.log.CommandCodec;
import coop.sahkar.coordinator.log.SnapshotCodec;
import coop.sahkar.coordinator.state.Command.AddKey;
import coop.sahkar.coordinator.state.Command.AddTicketKey;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.Command.AnnounceCoordinator;
import coop.sahkar.coordinator.state.Command.Barrier;
import coop.sahkar.coordinator.state.Command.ChangeAccount;
import coop.sahkar.coordinator.state.Command.ChangePolicy;
import coop.sahkar.coordinator.state.Command.EnrolNode;
import coop.sahkar.coordinator.state.Command.ForgetCoordinator;
import coop.sahkar.coordinator.state.Command.ForgetWorker;
import coop.sahkar.coordinator.state.Command.GiveNotice;
import coop.sahkar.coordinator.state.Command.IssueToken;
import coop.sahkar.coordinator.state.Command.NoteDayUsage;
import coop.sahkar.coordinator.state.Command.PostUsage;
import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.Command.PutAccount;
import coop.sahkar.coordinator.state.Command.RaiseLevel;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.Command.RevokeKey;
import coop.sahkar.coordinator.state.Command.RevokeNode;
import coop.sahkar.coordinator.state.Command.SetAccess;
import coop.sahkar.coordinator.state.Command.SetPolicy;
import coop.sahkar.coordinator.state.Command.Setting;
import coop.sahkar.coordinator.state.Command.WithdrawModel;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Account;
import coop.sahkar.governance.ApiKey;
import coop.sahkar.governance.DayUsage;
import coop.sahkar.governance.Policy;
import coop.sahkar.governance.Role;
import coop.sahkar.governance.Tier;
import coop.sahkar.governance.ledger.LedgerPolicy;
import coop.sahkar.governance.ledger.UsageBatch;
import coop.sahkar.governance.ledger.Work;
import coop.sahkar.proto.Span;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random sequences of commands, from a seed: what always holds, and that replaying gives the same.
 */
class TransitionPropertyTest {
    private static final int COMMANDS = 400;
    private static final int SEEDS = 8;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void replayGivesTheSameBytesAndInvariantsHold(long seed) throws IOException {
        Random random = new Random(seed);
        List<byte[]> log = new ArrayList<>();
        PoolState live = PoolState.EMPTY;
        int accepted = 0;
        for (int i = 0; i < COMMANDS; i++) {
            CommandId id = new CommandId(seed, random.nextInt(COMMANDS * 4));
            LoggedCommand command = new LoggedCommand(id, command(random, live));
            log.add(CommandCodec.write(command));
            Outcome outcome = Transition.apply(live, command);
            accepted += outcome.refusal() == null ? 1 : 0;
            checkInvariants(live, outcome);
            live = outcome.state();
        }
        assertThat(accepted).isBetween(COMMANDS / 4, COMMANDS - 1);
        byte[] bytes = SnapshotCodec.write(live);
        assertThat(SnapshotCodec.write(replay(PoolState.EMPTY, log))).isEqualTo(bytes);
        PoolState half = replay(PoolState.EMPTY, log.subList(0, COMMANDS / 2));
        PoolState reread = SnapshotCodec.read(new ByteArrayInputStream(SnapshotCodec.write(half)));
        assertThat(reread).isEqualTo(half);
        PoolState resumed = replay(reread, log.subList(COMMANDS / 2, COMMANDS));
        assertThat(SnapshotCodec.write(resumed)).isEqualTo(bytes);
    }

    @Test
    void everyKindOfCommandIsAmongThemAndSomeOfEachAreAccepted() {
        Set<Class<?>> accepted = new LinkedHashSet<>();
        for (long seed = 1; seed <= SEEDS; seed++) {
            Random random = new Random(seed);
            PoolState state = PoolState.EMPTY;
            for (int i = 0; i < COMMANDS; i++) {
                Command command = command(random, state);
                Outcome outcome =
                        Transition.apply(state, new LoggedCommand(new CommandId(seed, i), command));
                if (outcome.refusal() == null) {
                    accepted.add(command.getClass());
                }
                state = outcome.state();
            }
        }
        assertThat(accepted).containsExactlyInAnyOrder(Command.class.getPermittedSubclasses());
    }

    /** Random commands as they stand in the log. */
    static List<byte[]> log(long seed) {
        Random random = new Random(seed);
        List<byte[]> log = new ArrayList<>();
        PoolState state = PoolState.EMPTY;
        for (int i = 0; i < COMMANDS; i++) {
            CommandId id = new CommandId(seed, random.nextInt(COMMANDS * 4));
            LoggedCommand command = new LoggedCommand(id, command(random, state));
            log.add(CommandCodec.write(command));
            state = Transition.apply(state, command).state();
        }
        return log;
    }

    static PoolState replay(PoolState from, List<byte[]> log) {
        PoolState state = from;
        for (byte[] entry : log) {
            state = Transition.apply(state, CommandCodec.read(ByteBuffer.wrap(entry))).state();
        }
        return state;
    }

    private static void checkInvariants(PoolState before, Outcome outcome) {
        PoolState after = outcome.state();
        long generation = after.placement().generation();
        assertThat(generation - before.placement().generation()).isBetween(0L, 1L);
        assertThat(after.workers().keySet()).containsAll(after.placement().assignments().keySet());
        assertThat(after.ledger().sumMicros()).isZero();
        assertThat(after.recent()).hasSizeLessThanOrEqualTo(Transition.MAX_RECENT);
        if (outcome.refusal() != null) {
            assertThat(after.workers()).isEqualTo(before.workers());
            assertThat(after.models()).isEqualTo(before.models());
            assertThat(after.placement()).isEqualTo(before.placement());
            assertThat(after.ticketKeys()).isEqualTo(before.ticketKeys());
            assertThat(after.policy()).isEqualTo(before.policy());
            assertThat(after.accounts()).isEqualTo(before.accounts());
            assertThat(after.ledger()).isEqualTo(before.ledger());
            assertThat(after.cluster()).isEqualTo(before.cluster());
            assertThat(after.members()).isEqualTo(before.members());
        }
    }

    private static Command command(Random random, PoolState state) {
        String worker = "w" + random.nextInt(5);
        ModelManifest model = Fixtures.model("m" + random.nextInt(3), 4);
        return switch (random.nextInt(26)) {
            case 0, 1 -> new RegisterWorker(Fixtures.worker(worker, random.nextInt(999), 1));
            case 2 -> new ForgetWorker(worker);
            case 3 -> new PublishModel(model, List.of("http://h/f"), random.nextInt(4), 1);
            case 4 -> new WithdrawModel(model.id());
            case 5 -> new AddTicketKey(key(random));
            case 6 -> new SetPolicy(policy(random));
            case 7 -> new PutAccount(account(random));
            case 8 -> new AddKey(apiKey(random));
            case 9 -> new RevokeKey("key-" + random.nextInt(30), 1 + random.nextInt(9));
            case 10 -> new SetAccess(access(random));
            case 11 -> new NoteDayUsage(dayUsage(random));
            case 12, 13 -> new PostUsage(usage(random, state));
            case 14 -> new AnnounceCoordinator(coordinator(random));
            case 15 -> new ForgetCoordinator("c" + random.nextInt(4));
            case 16 -> new RaiseLevel(random.nextInt(FeatureLevel.KNOWN + 2));
            case 17 -> new GiveNotice(model.id(), random.nextInt(9), 1_000L * random.nextInt(4));
            case 18 -> new IssueToken(token(random), random.nextInt(9));
            case 19, 20 ->
                    new EnrolNode(node(random), random.nextBoolean() ? "" : tokenHash(random));
            case 21 -> new RevokeNode(member(random), worker, random.nextInt(9), 1_000);
            case 22 -> changeAccount(random);
            case 23 -> changePolicy(random);
            case 24 -> new Barrier();
            default -> new AdoptPlacement(placement(random, state, worker, model));
        };
    }

    private static UsageBatch usage(Random random, PoolState state) {
        String coordinator = "c" + random.nextInt(2);
        long last = state.ledger().lastSequence(coordinator);
        Work work = new Work(random.nextInt(999), random.nextInt(999));
        SortedMap<String, Work> payers = new TreeMap<>();
        payers.put("p" + random.nextInt(3), work);
        SortedMap<String, Work> workers = new TreeMap<>();
        workers.put("w" + random.nextInt(5), work);
        boolean wrong = random.nextInt(8) == 0;
        return new UsageBatch(
                coordinator,
                random.nextInt(2),
                last + random.nextInt(3),
                random.nextLong(1L << 40),
                payers,
                workers,
                wrong ? work.plus(new Work(1, 1)) : Work.NONE);
    }

    private static CoordinatorRecord coordinator(Random random) {
        int number = random.nextInt(4);
        String gateway = random.nextInt(5) == 0 ? "h".repeat(5000) : "h" + number + ":1";
        return new CoordinatorRecord(
                "c" + number, gateway, random.nextInt(FeatureLevel.KNOWN + 1), "k" + number);
    }

    private static coop.sahkar.proto.tls.Role member(Random random) {
        return random.nextBoolean()
                ? coop.sahkar.proto.tls.Role.WORKER
                : coop.sahkar.proto.tls.Role.COORDINATOR;
    }

    private static String tokenHash(Random random) {
        return (random.nextBoolean() ? "ab" : "cd").repeat(32);
    }

    private static JoinTokenRecord token(Random random) {
        return new JoinTokenRecord(
                tokenHash(random), member(random), random.nextInt(4), 5 + random.nextInt(99));
    }

    private static NodeRecord node(Random random) {
        int key = random.nextInt(9);
        return new NodeRecord(
                member(random),
                "w" + random.nextInt(5),
                100L + key,
                new Encoded(new byte[] {(byte) key}),
                random.nextInt(9));
    }

    private static TicketKeyRecord key(Random random) {
        byte[] bytes = {(byte) random.nextInt(2)};
        return new TicketKeyRecord("k" + random.nextInt(4), new Encoded(bytes));
    }

    private static Account account(Random random) {
        String tier = random.nextInt(3) == 0 ? "gold" : Access.MEMBER;
        Role role = random.nextBoolean() ? Role.OPERATOR : Role.SERVICE;
        int number = random.nextInt(4);
        return new Account("acct-" + number, "n" + random.nextInt(5), role, tier, number);
    }

    private static ChangeAccount changeAccount(Random random) {
        Optional<Role> role = random.nextBoolean() ? Optional.of(Role.SERVICE) : Optional.empty();
        return new ChangeAccount(
                "acct-" + random.nextInt(6),
                "n" + random.nextInt(5),
                role,
                random.nextInt(3) == 0 ? "gold" : "",
                random.nextInt(9));
    }

    private static ChangePolicy changePolicy(Random random) {
        Setting tokens = new Setting("tiers.gold.tokens_per_day", "" + random.nextInt(3));
        Setting other =
                random.nextBoolean()
                        ? new Setting("pool.kv_positions", "" + (random.nextInt(9) << 10))
                        : new Setting("tiers.gold", "none");
        return new ChangePolicy(
                List.of(tokens, other), random.nextBoolean() ? List.of(tokens) : List.of());
    }

    private static ApiKey apiKey(Random random) {
        int number = random.nextInt(30);
        String account = "acct-" + random.nextInt(4);
        return new ApiKey("key-" + number, "%064x".formatted(number), account, "l", number, 0);
    }

    private static DayUsage dayUsage(Random random) {
        SortedMap<String, Long> tokens = new TreeMap<>();
        tokens.put("acct-" + random.nextInt(6), random.nextInt(11) - 1L);
        return new DayUsage(random.nextInt(4), tokens);
    }

    private static Access access(Random random) {
        SortedMap<String, Tier> tiers = new TreeMap<>();
        if (random.nextBoolean()) {
            tiers.put("gold", new Tier("gold", 1, 2, random.nextInt(9), 4, 5));
        }
        return new Access(random.nextBoolean(), tiers);
    }

    private static Policy policy(Random random) {
        Policy p = Policy.DEFAULT;
        return new Policy(
                p.maxSessionPositions(),
                1 + random.nextInt(9),
                p.defaultAnswerTokens(),
                p.ticketLifetimeMillis(),
                p.leaseMillis(),
                p.reportIntervalMillis(),
                p.detachGraceMillis(),
                p.kvPositions(),
                p.minKvPositions(),
                p.relayBytesPerSecond(),
                random.nextInt(9),
                p.maxWaitMillis(),
                random.nextInt(9),
                random.nextInt(3),
                LedgerPolicy.DEFAULT);
    }

    private static Placement placement(
            Random random, PoolState state, String worker, ModelManifest model) {
        long parent = state.placement().generation() - (random.nextInt(4) == 0 ? 1 : 0);
        int first = random.nextInt(4);
        AssignedShard shard = new AssignedShard(model.id(), new Span(first, first + 1), 8);
        SortedMap<String, List<AssignedShard>> assignments = new TreeMap<>();
        assignments.put(worker, List.of(shard));
        return new Placement(parent + 1, parent, assignments);
    }
}
