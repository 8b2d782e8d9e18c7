package coop.sahkar.coordinator.usage;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.governance.ledger.Ledger;
import coop.sahkar.governance.ledger.Ledger.Result;
import coop.sahkar.governance.ledger.LedgerPolicy;
import coop.sahkar.governance.ledger.UsageBatch;
import coop.sahkar.governance.ledger.Work;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Span;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes to the log of what was counted, and that it counts once whatever the log answers. */
class UsageBookTest {
    private static final LedgerPolicy POLICY = LedgerPolicy.DEFAULT;
    private final UsageBook book = new UsageBook("c1", 7);

    @Test
    void addsUpWhatAccountsUsedAndWorkersDid() {
        book.record(use("alice", 10, 5));
        book.record(use("alice", 0, 1));
        book.record(use("bob", 2, 2));
        UsageBatch batch = book.next(41, 99).orElseThrow();
        assertThat(batch.sequence()).isEqualTo(42);
        assertThat(batch.atMillis()).isEqualTo(99);
        assertThat(batch.payers()).containsEntry("alice", new Work(60, 36));
        assertThat(batch.payers()).containsEntry("bob", new Work(12, 12));
        assertThat(batch.workers()).containsEntry("w1", new Work(48, 32));
        assertThat(batch.workers()).containsEntry("w2", new Work(24, 16));
        assertThat(batch.unproven()).isEqualTo(Work.NONE);
    }

    @Test
    void whatNobodyProvesIsWrittenToNoWorker() {
        book.record(new Use("alice", "m", 6, 2, List.of(), 0, 4));
        UsageBatch batch = book.next(0, 0).orElseThrow();
        assertThat(batch.workers()).isEmpty();
        assertThat(batch.unproven()).isEqualTo(new Work(0, 24));
    }

    @Test
    void theBatchUnderWayStaysTheSameUntilItsEndIsKnown() {
        assertThat(book.next(0, 0)).isEmpty();
        book.record(use("alice", 0, 1));
        Optional<UsageBatch> first = book.next(0, 10);
        book.record(use("alice", 0, 2));
        assertThat(book.next(0, 20)).isEqualTo(first);
        book.done();
        UsageBatch second = book.next(0, 30).orElseThrow();
        assertThat(second.sequence()).as("the log is known late here").isEqualTo(2);
        assertThat(second.payers()).containsEntry("alice", new Work(0, 12));
    }

    @Test
    void whoseNumberIsTakenGoesOnUnderAnother() {
        book.record(use("alice", 0, 1));
        UsageBatch first = book.next(0, 0).orElseThrow();
        book.outOfTurn(5);
        UsageBatch again = book.next(0, 0).orElseThrow();
        assertThat(again).isEqualTo(first.numbered(6));
        book.outOfTurn(0);
        assertThat(book.next(0, 0).orElseThrow().sequence()).isEqualTo(7);
    }

    @Test
    void manyAccountsGoInSeveralBatchesThatAllBalance() {
        int uses = 3 * UsageBatch.MAX_ENTRIES / 2;
        for (int i = 0; i < uses; i++) {
            book.record(use("a" + i, 0, 1));
        }
        Ledger ledger = Ledger.EMPTY;
        int batches = 0;
        for (Optional<UsageBatch> next = book.next(0, 1);
                next.isPresent();
                next = book.next(ledger.lastSequence("c1"), 1)) {
            Result result = ledger.post(next.get(), id -> id, POLICY);
            assertThat(result).isInstanceOf(Result.Posted.class);
            ledger = ((Result.Posted) result).next();
            book.done();
            batches++;
        }
        assertThat(batches).isEqualTo(2);
        assertThat(ledger.sumMicros()).isZero();
        assertThat(ledger.account("w1").earnedMicros()).isEqualTo(uses * 4L * 10);
    }

    @Test
    void isBoundedWhileTheLogIsAway() {
        for (int i = 0; i < (UsageBook.MAX_SHEETS + 1) * UsageBatch.MAX_ENTRIES; i++) {
            book.record(use("a" + i, 0, 1));
        }
        assertThat(book.usesLost()).isPositive();
    }

    /** Acknowledgements are lost, commands arrive late or twice, the coordinator starts anew. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void everythingCountsOnceOrIsLostWithAProcess(long seed) {
        new Course(seed).run();
    }

    /** A log that is cruel, and a count of what may be in it. */
    private static final class Course {
        private final Random random;
        private Ledger ledger = Ledger.EMPTY;
        private Ledger seen = Ledger.EMPTY;
        private final ArrayDeque<UsageBatch> late = new ArrayDeque<>();
        private UsageBook book = new UsageBook("c1", 0);
        private long mostUsed;
        private long leastUsed;
        private long unsent;
        private long unknown;

        Course(long seed) {
            random = new Random(seed);
        }

        void run() {
            for (int step = 0; step < 2000; step++) {
                switch (random.nextInt(12)) {
                    case 0, 1, 2, 3, 4 -> use();
                    case 5 -> late();
                    case 6 -> seen = ledger;
                    case 7 -> restart(step);
                    default -> send();
                }
                assertThat(ledger.sumMicros()).isZero();
                assertThat(ledger.account("alice").spentMicros()).isLessThanOrEqualTo(mostUsed);
            }
            seen = ledger;
            for (int i = 0; i < 50 && book.next(seen.lastSequence("c1"), 1).isPresent(); i++) {
                answered(post(book.next(seen.lastSequence("c1"), 1).orElseThrow()));
            }
            unsent = 0;
            assertThat(ledger.account("alice").spentMicros()).isBetween(leastUsed, mostUsed);
            assertThat(leastUsed).isPositive();
        }

        private void use() {
            long micros = 60;
            book.record(UsageBookTest.use("alice", 0, 1));
            mostUsed += micros;
            leastUsed += micros;
            unsent += micros;
        }

        private void send() {
            Optional<UsageBatch> next = book.next(seen.lastSequence("c1"), 1);
            if (next.isEmpty()) {
                return;
            }
            if (unknown == 0) {
                unknown = unsent;
                unsent = 0;
            }
            switch (random.nextInt(5)) {
                case 0 -> late.add(next.get());
                case 1 -> post(next.get());
                case 2 -> {}
                default -> answered(post(next.get()));
            }
        }

        private void late() {
            if (!late.isEmpty()) {
                post(random.nextBoolean() ? late.removeFirst() : late.getFirst());
            }
        }

        private Result post(UsageBatch batch) {
            Result result = ledger.post(batch, id -> id, POLICY);
            if (result instanceof Result.Posted(Ledger next)) {
                ledger = next;
            }
            return result;
        }

        private void answered(Result result) {
            if (result instanceof Result.OutOfTurn) {
                book.outOfTurn(seen.lastSequence("c1"));
            } else {
                book.done();
                unknown = 0;
            }
        }

        private void restart(int step) {
            if (random.nextInt(4) == 0) {
                leastUsed -= unsent + unknown;
                unsent = 0;
                unknown = 0;
                seen = ledger;
                book = new UsageBook("c1", step + 1);
            }
        }
    }

    private static Use use(String account, long prompt, long answer) {
        List<RouteStage> stages =
                List.of(
                        new RouteStage("w1", "h:1", new Span(0, 4)),
                        new RouteStage("w2", "h:2", new Span(4, 6)));
        return new Use(account, "m@d", 6, 1, stages, prompt, answer);
    }
}
