package coop.sahkar.deploy.bench;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * The replicated objects that clients read and write: settings of the policy, which are given a
 * value of their own with each write, the tiers of accounts, and keys, each good or not. None of
 * them bounds what the clients do. Thread-safe.
 */
final class Registers {
    /** A key that may be used. */
    static final String GOOD = "good";

    /** A key that is not made yet, or revoked, or forgotten after that. */
    static final String GONE = "gone";

    private static final int TIERS = 6;
    private static final int ACCOUNTS = 3;

    /** Keys are looked for in lists as long as they are among the last ones made. */
    private static final int RECENT_KEYS = 40;

    private static final long VALUES_PER_RUN = 1_000_000;
    private static final String RELAY = "pool.relay_bytes_per_second";
    private static final long LEAST_RELAY = 1 << 20;

    private final List<String> settings = new ArrayList<>();
    private final List<String> tiers = IntStream.range(0, TIERS).mapToObj(i -> "r" + i).toList();
    private final Deque<String> recent = new ArrayDeque<>(); // guarded by itself
    private final int run;
    private final AtomicLong values;
    private final AtomicLong keys = new AtomicLong();

    /**
     * @param run tells its values and keys from those of other runs in the same pool
     */
    Registers(int run) {
        this.run = run;
        this.values = new AtomicLong(run * VALUES_PER_RUN);
        settings.add(RELAY);
        tiers.forEach(tier -> settings.add("tiers.%s.tokens_per_day".formatted(tier)));
    }

    /** The settings of the policy. */
    List<String> settings() {
        return settings;
    }

    String setting(RandomGenerator random) {
        return settings.get(random.nextInt(settings.size()));
    }

    /** A value that a setting never had. */
    String freshValue(String setting) {
        long value = values.incrementAndGet();
        return Long.toString(setting.equals(RELAY) ? LEAST_RELAY + value : value);
    }

    /** Names of the accounts. */
    List<String> accounts() {
        return IntStream.range(0, ACCOUNTS).mapToObj(i -> "a" + i).toList();
    }

    String account(RandomGenerator random) {
        return accounts().get(random.nextInt(ACCOUNTS));
    }

    String tier(RandomGenerator random) {
        return tiers.get(random.nextInt(TIERS));
    }

    /** A label for one more key, whose history begins. */
    String newKey(Histories histories) {
        String label = "k%d-%d".formatted(run, keys.incrementAndGet());
        histories.begin(key(label), GONE);
        synchronized (recent) {
            recent.add(label);
            if (recent.size() > RECENT_KEYS) {
                recent.remove();
            }
        }
        return label;
    }

    /** Labels of the last keys. */
    List<String> recentKeys() {
        synchronized (recent) {
            return List.copyOf(recent);
        }
    }

    /** What the register of a key is called. */
    static String key(String label) {
        return "key " + label;
    }

    /** What the register of an account's tier is called. */
    static String tierOf(String account) {
        return "tier of account " + account;
    }
}
