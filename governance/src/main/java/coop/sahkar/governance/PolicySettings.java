package coop.sahkar.governance;

import coop.sahkar.governance.ledger.LedgerPolicy;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The policy as names and values, for people: {@code anonymous=off}, {@code
 * tiers.member.requests_per_minute=60}, {@code pool.max_wait_millis=10000}, {@code
 * ledger.answer_price_micros=10}; a tier is removed by {@code tiers.NAME=none}.
 *
 * @param policy the pool's numbers, and the ledger's
 * @param access who may ask, and how much
 */
public record PolicySettings(Policy policy, Access access) {
    private static final String POOL = "pool.";
    private static final String LEDGER = "ledger.";
    private static final String TIERS = "tiers.";
    private static final String ANONYMOUS = "anonymous";
    private static final String NONE = "none";

    /** Every setting in force, in an order that suits a reader. */
    public Map<String, String> all() {
        Map<String, String> all = new LinkedHashMap<>();
        all.put(ANONYMOUS, access.anonymous() ? "on" : "off");
        access.tiers()
                .values()
                .forEach(tier ->
                        numbers(tier)
                                .forEach((name, value) ->
                                        all.put(
                                                TIERS + tier.name() + "." + name,
                                                Long.toString(value))));
        numbers(policy).forEach((name, value) -> all.put(POOL + name, Integer.toString(value)));
        numbers(policy.ledger())
                .forEach((name, value) -> all.put(LEDGER + name, Long.toString(value)));
        return all;
    }

    /**
     * The same with one setting changed.
     *
     * @throws IllegalArgumentException in a sentence, if there is no such setting or the value is
     *     not for it
     */
    public PolicySettings with(String name, String value) {
        if (name.equals(ANONYMOUS)) {
            return new PolicySettings(policy, new Access(onOff(name, value), access.tiers()));
        }
        if (name.startsWith(POOL)) {
            return new PolicySettings(withNumber(name, value), access);
        }
        if (name.startsWith(LEDGER)) {
            LedgerPolicy ledger = withLedgerNumber(name, value);
            return new PolicySettings(policy(numbers(policy), ledger), access);
        }
        if (name.startsWith(TIERS)) {
            return new PolicySettings(policy, withTier(name, value));
        }
        throw unknown(name);
    }

    private Policy withNumber(String name, String value) {
        Map<String, Integer> numbers = numbers(policy);
        String number = name.substring(POOL.length());
        if (!numbers.containsKey(number)) {
            throw unknown(name);
        }
        numbers.put(number, Math.toIntExact(number(name, value, Integer.MAX_VALUE)));
        return policy(numbers, policy.ledger());
    }

    private LedgerPolicy withLedgerNumber(String name, String value) {
        Map<String, Long> numbers = numbers(policy.ledger());
        String number = name.substring(LEDGER.length());
        if (!numbers.containsKey(number)) {
            throw unknown(name);
        }
        numbers.put(number, number(name, value, Long.MAX_VALUE));
        return ledger(numbers);
    }

    private Access withTier(String name, String value) {
        SortedMap<String, Tier> tiers = new TreeMap<>(access.tiers());
        String[] words = name.substring(TIERS.length()).split("\\.", -1);
        if (words.length == 1 && value.equals(NONE)) {
            if (tiers.remove(words[0]) == null) {
                throw new IllegalArgumentException("there is no tier %s".formatted(words[0]));
            }
            return new Access(access.anonymous(), tiers);
        }
        if (words.length != 2) {
            throw unknown(name);
        }
        Tier before = tiers.getOrDefault(words[0], Tier.unlimited(words[0]));
        Map<String, Long> numbers = numbers(before);
        if (!numbers.containsKey(words[1])) {
            throw unknown(name);
        }
        numbers.put(words[1], value.equals(NONE) ? 0 : number(name, value, Long.MAX_VALUE));
        tiers.put(words[0], tier(words[0], numbers));
        return new Access(access.anonymous(), tiers);
    }

    private static boolean onOff(String name, String value) {
        return switch (value) {
            case "on", "true", "yes" -> true;
            case "off", "false", "no" -> false;
            default ->
                    throw new IllegalArgumentException(
                            "%s is on or off, not '%s'".formatted(name, shown(value)));
        };
    }

    private static long number(String name, String value, long most) {
        try {
            long number = Long.parseLong(value);
            if (number >= 0 && number <= most) {
                return number;
            }
        } catch (NumberFormatException notOne) {
            throw new IllegalArgumentException(
                    "%s is a whole number, not '%s'".formatted(name, shown(value)), notOne);
        }
        throw new IllegalArgumentException(
                "%s lies between 0 and %s, %s does not".formatted(name, most, value));
    }

    private static String shown(String text) {
        return text.substring(0, Math.min(text.length(), 40));
    }

    private static IllegalArgumentException unknown(String name) {
        return new IllegalArgumentException(
                "there is no setting '%s'; 'sahkar policy' lists them".formatted(shown(name)));
    }

    private static Map<String, Long> numbers(Tier tier) {
        Map<String, Long> numbers = new LinkedHashMap<>();
        numbers.put("requests_per_minute", (long) tier.requestsPerMinute());
        numbers.put("tokens_per_minute", (long) tier.tokensPerMinute());
        numbers.put("tokens_per_day", tier.tokensPerDay());
        numbers.put("concurrent_sessions", (long) tier.concurrentSessions());
        numbers.put("context_tokens", (long) tier.contextTokens());
        return numbers;
    }

    private static Tier tier(String name, Map<String, Long> numbers) {
        return new Tier(
                name,
                whole(numbers, "requests_per_minute"),
                whole(numbers, "tokens_per_minute"),
                numbers.getOrDefault("tokens_per_day", 0L),
                whole(numbers, "concurrent_sessions"),
                whole(numbers, "context_tokens"));
    }

    /** What is too large for an int is too large for whoever takes it, who then says so. */
    private static int whole(Map<String, Long> numbers, String name) {
        return (int) Math.min(Integer.MAX_VALUE, numbers.getOrDefault(name, 0L));
    }

    private static Map<String, Integer> numbers(Policy p) {
        Map<String, Integer> numbers = new LinkedHashMap<>();
        numbers.put("max_session_positions", p.maxSessionPositions());
        numbers.put("max_concurrent_generations", p.maxConcurrentGenerations());
        numbers.put("default_answer_tokens", p.defaultAnswerTokens());
        numbers.put("ticket_lifetime_millis", p.ticketLifetimeMillis());
        numbers.put("lease_millis", p.leaseMillis());
        numbers.put("report_interval_millis", p.reportIntervalMillis());
        numbers.put("detach_grace_millis", p.detachGraceMillis());
        numbers.put("kv_positions", p.kvPositions());
        numbers.put("min_kv_positions", p.minKvPositions());
        numbers.put("relay_bytes_per_second", p.relayBytesPerSecond());
        numbers.put("max_waiting_generations", p.maxWaitingGenerations());
        numbers.put("max_wait_millis", p.maxWaitMillis());
        numbers.put("resting_session_millis", p.restingSessionMillis());
        return numbers;
    }

    private static Policy policy(Map<String, Integer> numbers, LedgerPolicy ledger) {
        int[] n = numbers.values().stream().mapToInt(Integer::intValue).toArray();
        return new Policy(
                n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12],
                ledger);
    }

    private static Map<String, Long> numbers(LedgerPolicy p) {
        Map<String, Long> numbers = new LinkedHashMap<>();
        numbers.put("prompt_price_micros", (long) p.promptPriceMicros());
        numbers.put("answer_price_micros", (long) p.answerPriceMicros());
        numbers.put("usage_interval_millis", (long) p.usageIntervalMillis());
        numbers.put("half_life_millis", p.halfLifeMillis());
        numbers.put("floor_weight", (long) p.floorWeight());
        numbers.put("most_weight", (long) p.mostWeight());
        numbers.put("steady_micros", p.steadyMicros());
        return numbers;
    }

    private static LedgerPolicy ledger(Map<String, Long> numbers) {
        return new LedgerPolicy(
                whole(numbers, "prompt_price_micros"),
                whole(numbers, "answer_price_micros"),
                whole(numbers, "usage_interval_millis"),
                numbers.getOrDefault("half_life_millis", 0L),
                whole(numbers, "floor_weight"),
                whole(numbers, "most_weight"),
                numbers.getOrDefault("steady_micros", 0L));
    }
}
