package coop.sahkar.governance.ledger;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * The co-operative's books. Immutable; {@link #post} makes the next one. The balances of all
 * accounts together are zero, always: credits come into being when somebody works for somebody
 * else, who then owes them, and in no other way. They cannot be bought, and not handed on.
 *
 * @param atMillis its time, which the batches bring and which never goes back; it moves by one
 *     half-life at most with each batch, so that one wrong clock does not fade everything
 * @param accounts by name; at most {@link #MAX_ACCOUNTS}
 * @param counted the last batch of each coordinator
 * @param kept the last postings, oldest first
 */
public record Ledger(
        long atMillis,
        SortedMap<String, Account> accounts,
        SortedMap<String, Counted> counted,
        List<Posting> kept) {
    /** Books without entries. */
    public static final Ledger EMPTY = new Ledger(0, new TreeMap<>(), new TreeMap<>(), List.of());

    /** Accounts; the work of newcomers beyond them goes to the commons. */
    public static final int MAX_ACCOUNTS = 16_384;

    /** Coordinators that have ever counted. */
    public static final int MAX_COORDINATORS = 64;

    /** Postings kept. */
    public static final int MAX_KEPT = 512;

    /** Lines of all postings kept. */
    public static final int MAX_KEPT_ENTRIES = 16_384;

    private static final int MAX_NAME = 64;
    private static final long MAX_MILLIS = 1L << 50;

    /**
     * The last batch that was counted of a coordinator.
     *
     * @param run which start of the coordinator it came from
     * @param sequence its number
     */
    public record Counted(long run, long sequence) {}

    /** What became of a batch. */
    public sealed interface Result {
        /** It was posted. */
        record Posted(Ledger next) implements Result {}

        /** It was posted before; nothing changes. */
        record Known() implements Result {}

        /** Another batch has taken its number; under a higher one it can be posted. */
        record OutOfTurn(long lastSequence) implements Result {}

        /** It contradicts itself or a bound, and why. */
        record Wrong(String sentence) implements Result {}
    }

    public Ledger {
        accounts = Collections.unmodifiableSortedMap(new TreeMap<>(accounts));
        counted = Collections.unmodifiableSortedMap(new TreeMap<>(counted));
        kept = List.copyOf(kept);
    }

    /** The number of the last batch that was counted of a coordinator; 0 if none was. */
    public long lastSequence(String coordinator) {
        Counted last = counted.get(coordinator);
        return last == null ? 0 : last.sequence();
    }

    /** An account; one without entries if there is none of this name. */
    public Account account(String name) {
        return accounts.getOrDefault(name, Account.NEW);
    }

    /** The balances of all accounts together. */
    public long sumMicros() {
        return accounts.values().stream().mapToLong(Account::balanceMicros).sum();
    }

    /** Turns of an account when requests wait; those for whom the commons pays have the fewest. */
    public int weight(String account, LedgerPolicy policy) {
        return account.equals(AccountName.COMMONS)
                ? policy.floorWeight()
                : account(account).weight(atMillis, policy);
    }

    /**
     * Posts a batch.
     *
     * @param accountOf where the credits of a worker go, by its id
     */
    public Result post(UsageBatch batch, UnaryOperator<String> accountOf, LedgerPolicy policy) {
        Counted last = counted.get(batch.coordinator());
        if (last != null && batch.sequence() <= last.sequence()) {
            return last.equals(new Counted(batch.run(), batch.sequence()))
                    ? new Result.Known()
                    : new Result.OutOfTurn(last.sequence());
        }
        try {
            String wrong = wrong(batch);
            return wrong.isEmpty()
                    ? new Result.Posted(posted(batch, accountOf, policy))
                    : new Result.Wrong(wrong);
        } catch (ArithmeticException | IllegalArgumentException e) {
            return new Result.Wrong("a sum of the ledger would leave its range");
        }
    }

    private String wrong(UsageBatch batch) {
        if (!batch.coordinator().matches("[A-Za-z0-9._-]{1," + MAX_NAME + "}")) {
            return "a usage batch needs the name of a coordinator";
        }
        if (batch.sequence() < 1 || batch.atMillis() < 0 || batch.atMillis() > MAX_MILLIS) {
            return "a usage batch needs a number and a time";
        }
        if (batch.payers().size() + batch.workers().size() > UsageBatch.MAX_ENTRIES) {
            return "a usage batch holds at most %s entries".formatted(UsageBatch.MAX_ENTRIES);
        }
        if (!batch.payers().keySet().stream().allMatch(AccountName::valid)
                || !batch.workers().keySet().stream().allMatch(AccountName::validWorker)) {
            return "a usage batch names an account that cannot be";
        }
        if (!batch.balances()) {
            return "a usage batch does not balance";
        }
        return counted.containsKey(batch.coordinator()) || counted.size() < MAX_COORDINATORS
                ? ""
                : "%s coordinators have counted, and no more may".formatted(MAX_COORDINATORS);
    }

    private Ledger posted(UsageBatch batch, UnaryOperator<String> accountOf, LedgerPolicy policy) {
        SortedMap<String, Long> spent = new TreeMap<>();
        SortedMap<String, Long> earned = new TreeMap<>();
        SortedMap<String, Account> next = new TreeMap<>(accounts);
        next.putIfAbsent(AccountName.COMMONS, Account.NEW);
        batch.payers().forEach((name, work) -> add(spent, open(next, name), work.micros(policy)));
        batch.workers()
                .forEach((worker, work) ->
                        add(earned, open(next, accountOf.apply(worker)), work.micros(policy)));
        add(earned, AccountName.COMMONS, batch.unproven().micros(policy));
        long now = later(batch.atMillis(), policy);
        next.replaceAll((name, account) -> {
            long plus = earned.getOrDefault(name, 0L);
            long minus = spent.getOrDefault(name, 0L);
            return plus == 0 && minus == 0 ? account : account.after(plus, minus, now, policy);
        });
        SortedMap<String, Counted> last = new TreeMap<>(counted);
        last.put(batch.coordinator(), new Counted(batch.run(), batch.sequence()));
        Posting posting = new Posting(batch.coordinator(), batch.sequence(), now, spent, earned);
        return new Ledger(now, next, last, keeping(posting));
    }

    /** Makes room for an account; where there is none, the commons stands in for it. */
    private static String open(SortedMap<String, Account> accounts, String name) {
        if (!accounts.containsKey(name) && accounts.size() >= MAX_ACCOUNTS) {
            return AccountName.COMMONS;
        }
        accounts.putIfAbsent(name, Account.NEW);
        return name;
    }

    private static void add(SortedMap<String, Long> sums, String account, long micros) {
        if (micros > 0) {
            sums.merge(account, micros, Math::addExact);
        }
    }

    private long later(long batchMillis, LedgerPolicy policy) {
        return atMillis == 0
                ? batchMillis
                : Math.clamp(batchMillis, atMillis, atMillis + policy.halfLifeMillis());
    }

    private List<Posting> keeping(Posting newest) {
        List<Posting> all = new ArrayList<>(kept);
        all.add(newest);
        int entries = all.stream().mapToInt(Posting::entries).sum();
        int from = 0;
        while (all.size() - from > 1
                && (all.size() - from > MAX_KEPT || entries > MAX_KEPT_ENTRIES)) {
            entries -= all.get(from).entries();
            from++;
        }
        return all.subList(from, all.size());
    }
}
