package coop.sahkar.governance.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.governance.ledger.Ledger.Result;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the books say after batches that come, come twice, come late, and contradict themselves. */
class LedgerTest {
    private static final LedgerPolicy POLICY = LedgerPolicy.DEFAULT;
    private static final long START_MILLIS = 1_000_000_000_000L;

    @Test
    void whoComputesEarnsWhatWhoAsksSpends() {
        UsageBatch batch =
                batch(
                        "c1",
                        7,
                        1,
                        Map.of("alice", new Work(60, 30)),
                        Map.of("w1", new Work(40, 20), "w2", new Work(20, 10)));
        Ledger ledger = posted(Ledger.EMPTY, batch);
        assertThat(ledger.account("alice").balanceMicros()).isEqualTo(-(60 * 2 + 30 * 10));
        assertThat(ledger.account("worker/w1").balanceMicros()).isEqualTo(40 * 2 + 20 * 10);
        assertThat(ledger.account("worker/w2").balanceMicros()).isEqualTo(20 * 2 + 10 * 10);
        assertThat(ledger.sumMicros()).isZero();
        assertThat(ledger.kept()).singleElement().matches(p -> p.touches("alice"));
        assertThat(ledger.lastSequence("c1")).isEqualTo(1);
    }

    @Test
    void aWorkersCreditsGoToTheOwnerItNames() {
        UsageBatch batch =
                batch("c1", 7, 1, Map.of("commons", new Work(0, 9)), Map.of("w", new Work(0, 9)));
        Result result = Ledger.EMPTY.post(batch, _ -> "bob", POLICY);
        assertThat(result).isInstanceOf(Result.Posted.class);
        Ledger ledger = ((Result.Posted) result).next();
        assertThat(ledger.account("bob").balanceMicros()).isEqualTo(90);
        assertThat(ledger.account(AccountName.COMMONS).balanceMicros()).isEqualTo(-90);
    }

    @Test
    void whatNobodyProvesGoesToTheCommons() {
        SortedMap<String, Work> payers = new TreeMap<>(Map.of("alice", new Work(0, 5)));
        UsageBatch batch =
                new UsageBatch("c1", 1, 1, START_MILLIS, payers, new TreeMap<>(), new Work(0, 5));
        Ledger ledger = posted(Ledger.EMPTY, batch);
        assertThat(ledger.account(AccountName.COMMONS).balanceMicros()).isEqualTo(50);
        assertThat(ledger.sumMicros()).isZero();
    }

    @Test
    void aBatchThatComesAgainCountsOnce() {
        UsageBatch batch = simple("c1", 7, 1, 10);
        Ledger once = posted(Ledger.EMPTY, batch);
        assertThat(once.post(batch, this::own, POLICY)).isEqualTo(new Result.Known());
        UsageBatch second = simple("c1", 7, 2, 10);
        Ledger twice = posted(once, second);
        assertThat(twice.post(second, this::own, POLICY)).isEqualTo(new Result.Known());
        assertThat(twice.post(batch, this::own, POLICY)).isEqualTo(new Result.OutOfTurn(2));
    }

    @Test
    void whatAnEarlierStartLeftBehindTakesNobodysPlaceUnnoticed() {
        Ledger ledger = posted(Ledger.EMPTY, simple("c1", 7, 1, 10));
        UsageBatch ofNextStart = simple("c1", 8, 1, 99);
        assertThat(ledger.post(ofNextStart, this::own, POLICY)).isEqualTo(new Result.OutOfTurn(1));
        Ledger after = posted(ledger, ofNextStart.numbered(2));
        assertThat(after.account("alice").spentMicros()).isEqualTo(109 * 10);
    }

    @Test
    void coordinatorsCountIndependently() {
        Ledger ledger = posted(posted(Ledger.EMPTY, simple("c1", 7, 5, 1)), simple("c2", 9, 1, 2));
        assertThat(ledger.account("alice").spentMicros()).isEqualTo(30);
    }

    @Test
    void whatContradictsItselfIsRefused() {
        Map<String, Work> alice = Map.of("alice", new Work(0, 1));
        Map<String, Work> w1 = Map.of("w1", new Work(0, 1));
        wrong(batch("c1", 1, 1, alice, Map.of("w1", new Work(0, 2))), "does not balance");
        wrong(batch("c1", 1, 1, alice, Map.of("w1", new Work(1, 0))), "does not balance");
        wrong(batch("c1", 1, 0, alice, w1), "a number");
        wrong(batch("a b", 1, 1, alice, w1), "a coordinator");
        wrong(batch("c1", 1, 1, Map.of("no one", new Work(0, 1)), w1), "cannot be");
        wrong(batch("c1", 1, 1, alice, Map.of("", new Work(0, 1))), null);
        SortedMap<String, Work> many = new TreeMap<>();
        IntStream.range(0, UsageBatch.MAX_ENTRIES).forEach(i -> many.put("w" + i, new Work(0, 1)));
        Map<String, Work> payer = Map.of("alice", new Work(0, UsageBatch.MAX_ENTRIES));
        wrong(batch("c1", 1, 1, payer, many), "at most");
    }

    @Test
    void sumsThatLeaveTheirRangeAreRefusedWhole() {
        LedgerPolicy dear = new LedgerPolicy(1 << 20, 1 << 20, 1000, 60_000, 1, 2, 1);
        Work most = new Work(Work.MAX_TOKEN_BLOCKS, Work.MAX_TOKEN_BLOCKS);
        Ledger ledger = Ledger.EMPTY;
        int posted = 0;
        for (int i = 1; i < 20; i++) {
            UsageBatch batch = batch("c1", 1, i, Map.of("alice", most), Map.of("w", most));
            if (ledger.post(batch, this::own, dear) instanceof Result.Posted(Ledger next)) {
                posted++;
                ledger = next;
            }
        }
        assertThat(posted).isBetween(1, 10);
        assertThat(ledger.sumMicros()).isZero();
        assertThat(ledger.account("alice").spentMicros()).isPositive();
    }

    @Test
    void accountsAndPostingsAreBounded() {
        Ledger ledger = Ledger.EMPTY;
        int sequence = 0;
        for (int i = 0; i < Ledger.MAX_ACCOUNTS + 3000; i += 3000) {
            SortedMap<String, Work> workers = new TreeMap<>();
            for (int j = i; j < i + 3000; j++) {
                workers.put("w" + j, new Work(0, 1));
            }
            Map<String, Work> payer = Map.of("alice", new Work(0, 3000));
            ledger = posted(ledger, batch("c1", 1, ++sequence, payer, workers));
        }
        assertThat(ledger.accounts()).hasSize(Ledger.MAX_ACCOUNTS);
        assertThat(ledger.account(AccountName.COMMONS).earnedMicros()).isPositive();
        assertThat(ledger.sumMicros()).isZero();
        assertThat(ledger.kept().stream().mapToInt(Posting::entries).sum())
                .isLessThanOrEqualTo(Ledger.MAX_KEPT_ENTRIES);
        for (int i = 0; i < 2 * Ledger.MAX_KEPT; i++) {
            ledger = posted(ledger, simple("c1", 1, ++sequence, 1));
        }
        assertThat(ledger.kept()).hasSize(Ledger.MAX_KEPT);
        assertThat(ledger.kept().getLast().sequence()).isEqualTo(sequence);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void whateverComesTheBooksBalance(long seed) {
        Random random = new Random(seed);
        Ledger ledger = Ledger.EMPTY;
        int posted = 0;
        for (int i = 0; i < 400; i++) {
            UsageBatch batch = random(random, ledger);
            switch (ledger.post(batch, id -> "owner" + id.length() % 3, POLICY)) {
                case Result.Posted(Ledger next) -> {
                    posted++;
                    assertThat(next.post(batch, this::own, POLICY)).isEqualTo(new Result.Known());
                    ledger = next;
                }
                case Result.Known(), Result.OutOfTurn(var _), Result.Wrong(var _) -> {}
            }
            assertThat(ledger.sumMicros()).isZero();
        }
        assertThat(posted).isBetween(20, 390);
    }

    private static UsageBatch random(Random random, Ledger ledger) {
        SortedMap<String, Work> payers = new TreeMap<>();
        SortedMap<String, Work> workers = new TreeMap<>();
        Work unproven = Work.NONE;
        for (int use = random.nextInt(5); use >= 0; use--) {
            Work first = new Work(random.nextInt(1000), random.nextInt(1000));
            Work second = new Work(random.nextInt(1000), random.nextInt(1000));
            payers.merge("p" + random.nextInt(5), first.plus(second), Work::plus);
            workers.merge("w".repeat(1 + random.nextInt(5)), first, Work::plus);
            if (random.nextBoolean()) {
                unproven = unproven.plus(second);
            } else {
                workers.merge("v" + random.nextInt(5), second, Work::plus);
            }
        }
        if (random.nextInt(10) == 0) {
            unproven = unproven.plus(new Work(1, 0));
        }
        String coordinator = "c" + random.nextInt(3);
        return new UsageBatch(
                coordinator,
                random.nextInt(3),
                ledger.lastSequence(coordinator) - 2 + random.nextInt(6),
                START_MILLIS + random.nextInt(100_000_000),
                payers,
                workers,
                unproven);
    }

    private void wrong(UsageBatch batch, @Nullable String sentence) {
        Result result = Ledger.EMPTY.post(batch, this::own, POLICY);
        if (sentence == null) {
            assertThat(result).isInstanceOf(Result.Posted.class);
        } else {
            assertThat(result)
                    .isInstanceOfSatisfying(
                            Result.Wrong.class, w -> assertThat(w.sentence()).contains(sentence));
        }
    }

    private Ledger posted(Ledger before, UsageBatch batch) {
        Result result = before.post(batch, this::own, POLICY);
        assertThat(result).isInstanceOf(Result.Posted.class);
        return ((Result.Posted) result).next();
    }

    private String own(String worker) {
        return AccountName.ofWorker(worker, "");
    }

    private static UsageBatch simple(String coordinator, long run, long sequence, long tokens) {
        Work work = new Work(0, tokens);
        return batch(coordinator, run, sequence, Map.of("alice", work), Map.of("w", work));
    }

    private static UsageBatch batch(
            String coordinator,
            long run,
            long sequence,
            Map<String, Work> payers,
            Map<String, Work> workers) {
        return new UsageBatch(
                coordinator,
                run,
                sequence,
                START_MILLIS,
                new TreeMap<>(payers),
                new TreeMap<>(workers),
                Work.NONE);
    }
}
