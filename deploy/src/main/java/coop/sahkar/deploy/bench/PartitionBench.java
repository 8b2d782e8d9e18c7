package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.demo.ClusterPool;
import coop.sahkar.deploy.network.SmallInternet;
import coop.sahkar.proto.v1.AccountsGrpc.AccountsBlockingStub;
import coop.sahkar.proto.v1.CreateKeyRequest;
import coop.sahkar.proto.v1.GetPolicyRequest;
import coop.sahkar.proto.v1.GroupReply;
import coop.sahkar.proto.v1.PolicySetting;
import coop.sahkar.proto.v1.SetPolicyRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Breaks the network between coordinators in every way of {@link Cut} in turn, while clients of all
 * of them read and write the same registers, and judges what they heard.
 */
public final class PartitionBench {
    private static final int CALL_SECONDS = 10;
    private static final int SETTLE_SECONDS = 90;
    private static final int POLL_MILLIS = 20;
    private static final int LEAST_CUT_MILLIS = 2_000;
    private static final int MOST_CUT_MILLIS = 4_000;

    /** A cut ends after so long also if nothing was acknowledged meanwhile. */
    private static final int LONGEST_CUT_MILLIS = 20_000;

    /** Runs in one pool, which must not take each other's values for their own. */
    private static final int MOST_RUNS = 1_000;

    private static final int MOST_PAUSE_MILLIS = 60;

    private final ClusterPool pool;
    private final SmallInternet internet;
    private final int clients;
    private final Reads reads;
    private final Random random;
    private final Consumer<String> step;
    private final Registers registers;
    private final Histories histories = new Histories();
    private final Map<Cut, List<Double>> untilWritten = new EnumMap<>(Cut.class);
    private final Map<String, AccountsBlockingStub> operators = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
    private volatile boolean over;

    /** How settings are read. */
    public enum Reads {
        /** So that everything acknowledged before is in them. */
        LATEST,
        /** As the coordinator knows them itself, which may be the past: the check must find it. */
        LOCAL
    }

    /**
     * @param pool its coordinators have machines of their own
     * @param internet these machines
     * @param clients at once, of the coordinators in turn
     * @param step is told what is done next
     */
    public PartitionBench(
            ClusterPool pool,
            SmallInternet internet,
            int clients,
            Reads reads,
            Random random,
            Consumer<String> step) {
        this.pool = pool;
        this.internet = internet;
        this.clients = clients;
        this.reads = reads;
        this.random = random;
        this.step = step;
        this.registers = new Registers(random.nextInt(MOST_RUNS));
    }

    /**
     * Runs a campaign; some seconds for each cut.
     *
     * @param cuts how many
     * @param most time after which there are no more
     */
    public PartitionReport run(int cuts, Duration most) throws IOException, InterruptedException {
        setUp();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            String coordinator = pool.ids().get(i % pool.ids().size());
            RegisterClient client = client("%s-%d".formatted(coordinator, i), coordinator, i);
            Random pauses = new Random(random.nextLong());
            threads.add(Thread.ofVirtual().start(() -> callOnAndOn(client, pauses)));
        }
        try {
            List<Cut> kinds = List.of(Cut.values());
            long begun = System.nanoTime();
            for (int i = 0; i < cuts && System.nanoTime() - begun < most.toNanos(); i++) {
                Cut cut = kinds.get(i % kinds.size());
                step.accept("%s, %d of %d".formatted(cut.words(), i + 1, cuts));
                strike(cut);
            }
        } finally {
            over = true;
            internet.heal();
            for (Thread thread : threads) {
                thread.join();
            }
        }
        checkClients();
        step.accept("looking for an order in which everything may have happened");
        return new PartitionReport(
                pool.ids().size(), clients, untilWritten, histories.calls(), histories.judge());
    }

    private RegisterClient client(String name, String coordinator, int number) {
        Supplier<Map<String, String>> latest = () -> settings(coordinator);
        Supplier<Map<String, String>> local = new LocalPolicy(pool.gateway(coordinator));
        return new RegisterClient(
                name,
                registers,
                histories,
                () -> accounts(coordinator),
                reads == Reads.LATEST ? latest : local,
                number / pool.ids().size() % 2 == 1,
                new Random(random.nextLong() + number));
    }

    private void callOnAndOn(RegisterClient client, Random pauses) {
        try {
            while (!over) {
                client.call();
                TimeUnit.MILLISECONDS.sleep(pauses.nextInt(MOST_PAUSE_MILLIS));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            failure.compareAndSet(null, e);
        }
    }

    /** All registers there, and the pool at the level that knows conditions. */
    private void setUp() throws InterruptedException {
        String first = pool.ids().getFirst();
        for (String register : registers.settings()) {
            PolicySetting setting =
                    PolicySetting.newBuilder()
                            .setName(register)
                            .setValue(registers.freshValue(register))
                            .build();
            var _ =
                    accounts(first)
                            .setPolicy(SetPolicyRequest.newBuilder().addSettings(setting).build());
            await("the pool to take conditions", () -> takesConditions(first, setting));
        }
        Map<String, String> now = settings(first);
        registers.settings().forEach(r -> histories.begin(r, now.getOrDefault(r, "")));
        for (String account : registers.accounts()) {
            var key =
                    accounts(first)
                            .createKey(CreateKeyRequest.newBuilder().setAccount(account).build())
                            .getKey();
            histories.begin(Registers.tierOf(account), key.getTier());
        }
    }

    private boolean takesConditions(String coordinator, PolicySetting setting) {
        try {
            var _ =
                    accounts(coordinator)
                            .setPolicy(
                                    SetPolicyRequest.newBuilder()
                                            .addSettings(setting)
                                            .addExpected(setting)
                                            .build());
            return true;
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.INVALID_ARGUMENT) {
                return false;
            }
            throw e;
        }
    }

    private void strike(Cut cut) throws IOException, InterruptedException {
        String leader = awaitAgreement();
        int millis = LEAST_CUT_MILLIS + random.nextInt(MOST_CUT_MILLIS - LEAST_CUT_MILLIS);
        cut.fall(internet, pool.ids(), leader, random);
        long struck = System.nanoTime();
        boolean written = false;
        while (!ended(struck, written ? millis : LONGEST_CUT_MILLIS)) {
            if (!written && histories.wroteSince(struck)) {
                written = true;
                untilWritten
                        .computeIfAbsent(cut, _ -> new ArrayList<>())
                        .add((System.nanoTime() - struck) / 1e6);
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
        if (!written) {
            untilWritten
                    .computeIfAbsent(cut, _ -> new ArrayList<>())
                    .add((double) LONGEST_CUT_MILLIS);
        }
        internet.heal();
        pool.reconnect();
        long healed = System.nanoTime();
        await("writes after a cut", () -> histories.wroteSince(healed));
    }

    private static boolean ended(long sinceNanos, int millis) {
        return System.nanoTime() - sinceNanos >= TimeUnit.MILLISECONDS.toNanos(millis);
    }

    /** Waits until all coordinators know the same leader; who it is. */
    private String awaitAgreement() throws InterruptedException {
        String[] leader = {""};
        await(
                "the coordinators to agree on a leader",
                () -> {
                    leader[0] = agreed();
                    return !leader[0].isEmpty();
                });
        return leader[0];
    }

    /** Who leads, as all coordinators say; empty if they don't say the same. */
    private String agreed() {
        Set<String> said = new TreeSet<>();
        for (String id : pool.ids()) {
            Optional<GroupReply> group = pool.group(id);
            said.add(group.map(GroupReply::getLeaderId).orElse(""));
        }
        return said.size() == 1 ? said.iterator().next() : "";
    }

    private void await(String what, BooleanSupplier done) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SETTLE_SECONDS);
        while (!done.getAsBoolean()) {
            checkClients();
            if (System.nanoTime() > end) {
                throw new BenchException(
                        "Waiting for %s took more than %d s.".formatted(what, SETTLE_SECONDS));
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    private void checkClients() {
        RuntimeException first = failure.get();
        if (first != null) {
            throw first;
        }
    }

    private Map<String, String> settings(String coordinator) {
        Map<String, String> settings = new LinkedHashMap<>();
        accounts(coordinator)
                .getPolicy(GetPolicyRequest.getDefaultInstance())
                .getSettingsList()
                .forEach(setting -> settings.put(setting.getName(), setting.getValue()));
        return settings;
    }

    private AccountsBlockingStub accounts(String coordinator) {
        return operators
                .computeIfAbsent(coordinator, pool::accounts)
                .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS);
    }
}
