package coop.sahkar.deploy.history;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.deploy.history.Action.Read;
import coop.sahkar.deploy.history.Action.Swap;
import coop.sahkar.deploy.history.Action.Write;
import coop.sahkar.deploy.history.Linearizability.Verdict;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LinearizabilityTest {
    private static final long STEPS = 10_000_000;
    private static final long NEVER = Operation.NEVER;

    private static Operation op(Action action, long called, long returned) {
        return new Operation("c", action, called, returned);
    }

    private static Verdict check(Operation... operations) {
        return Linearizability.check("0", List.of(operations), STEPS);
    }

    @Test
    void nothingAndAReadOfTheBeginningAreFine() {
        assertThat(check()).isEqualTo(Verdict.YES);
        assertThat(check(op(new Read("0"), 1, 2))).isEqualTo(Verdict.YES);
        assertThat(check(op(new Read("1"), 1, 2))).isEqualTo(Verdict.NO);
    }

    @Test
    void aReadAfterAnAcknowledgedWriteMustSeeIt() {
        Operation write = op(new Write("1"), 1, 2);
        assertThat(check(write, op(new Read("1"), 3, 4))).isEqualTo(Verdict.YES);
        assertThat(check(write, op(new Read("0"), 3, 4))).isEqualTo(Verdict.NO);
        assertThat(check(write, op(new Read("0"), 2, 4))).as("at once").isEqualTo(Verdict.YES);
    }

    @Test
    void readsBesideAWriteMaySeeEitherButNotGoBack() {
        Operation write = op(new Write("1"), 1, 10);
        Operation early = op(new Read("1"), 2, 3);
        assertThat(check(write, early, op(new Read("1"), 4, 5))).isEqualTo(Verdict.YES);
        assertThat(check(write, early, op(new Read("0"), 4, 5))).isEqualTo(Verdict.NO);
        assertThat(check(write, early, op(new Read("0"), 3, 5))).isEqualTo(Verdict.YES);
    }

    @Test
    void oneOfTwoConflictingSwapsWins() {
        Operation first = op(new Swap("0", "1"), 1, 10);
        assertThat(check(first, op(new Swap("0", "2"), 1, 10))).isEqualTo(Verdict.NO);
        assertThat(check(first, op(new Swap("1", "2"), 1, 10))).isEqualTo(Verdict.YES);
        assertThat(check(first, op(new Swap("1", "0"), 1, 10), op(new Swap("0", "2"), 1, 10)))
                .isEqualTo(Verdict.YES);
    }

    @Test
    void whatHasNoAnswerMayTakeEffectLateOnceOrNever() {
        Operation lost = op(new Write("1"), 1, NEVER);
        Operation other = op(new Write("2"), 2, 3);
        Operation seesOther = op(new Read("2"), 4, 5);
        Operation seesLost = op(new Read("1"), 6, 7);
        assertThat(check(lost, other, seesOther)).as("never").isEqualTo(Verdict.YES);
        assertThat(check(lost, other, seesOther, seesLost)).as("late").isEqualTo(Verdict.YES);
        Operation again = op(new Read("2"), 8, 9);
        assertThat(check(lost, other, seesOther, seesLost, again))
                .as("twice")
                .isEqualTo(Verdict.NO);
        assertThat(check(op(new Write("1"), 8, NEVER), op(new Read("1"), 1, 2)))
                .as("before it was called")
                .isEqualTo(Verdict.NO);
        assertThat(check(op(new Swap("0", "1"), 1, NEVER), other, seesOther, seesLost))
                .as("a swap needs what it expects")
                .isEqualTo(Verdict.NO);
        assertThat(
                        check(
                                op(new Swap("2", "3"), 1, NEVER),
                                op(new Write("2"), 1, NEVER),
                                op(new Read("3"), 6, 7)))
                .as("two in a row")
                .isEqualTo(Verdict.YES);
    }

    @Test
    void itGivesUpRatherThanTellSomethingWrong() {
        assertThat(
                        Linearizability.check(
                                "0", List.of(op(new Write("1"), 1, 2), op(new Read("0"), 3, 4)), 1))
                .isEqualTo(Verdict.UNDECIDED);
    }

    /** Many clients of one true register: each operation has its moment between call and answer. */
    private static List<Operation> made(long seed, int clients, int each) {
        Random random = new Random(seed);
        record Moment(long at, int client, long called, long returned) {}
        List<Moment> moments = new ArrayList<>();
        for (int client = 0; client < clients; client++) {
            long now = random.nextInt(50);
            for (int i = 0; i < each; i++) {
                long at = now + random.nextInt(40);
                long returned = at + random.nextInt(40);
                moments.add(new Moment(at, client, now, returned));
                now = returned + 1 + random.nextInt(20);
            }
        }
        Collections.shuffle(moments, random);
        moments.sort((a, b) -> Long.compare(a.at(), b.at()));
        List<Operation> operations = new ArrayList<>();
        String value = "0";
        int written = 0;
        for (Moment moment : moments) {
            boolean answered = random.nextInt(20) != 0;
            Action action = new Read(value);
            int kind = random.nextInt(3);
            if (kind > 0) {
                String next = Integer.toString(++written);
                action = kind == 1 ? new Write(next) : new Swap(value, next);
                boolean happens = answered || random.nextBoolean();
                value = happens ? next : value;
            }
            if (answered || kind > 0) {
                long returned = answered ? moment.returned() : NEVER;
                operations.add(
                        new Operation("c" + moment.client(), action, moment.called(), returned));
            }
        }
        return operations;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void thousandsOfOperationsOnATrueRegisterAreFineAndOneStaleReadIsFound(long seed) {
        List<Operation> history = made(seed, 9, 400);
        assertThat(Linearizability.check("0", history, STEPS)).isEqualTo(Verdict.YES);

        List<Operation> stale = withAStaleRead(history);
        assertThat(Linearizability.check("0", stale, STEPS)).isEqualTo(Verdict.NO);

        List<Operation> core = Culprit.smallest("0", stale, STEPS);
        assertThat(core).hasSizeLessThanOrEqualTo(12);
        assertThat(core).anyMatch(one -> one.by().equals("stale"));
        assertThat(Linearizability.check("0", core, STEPS)).isEqualTo(Verdict.NO);
        assertThat(Culprit.shown(core)).contains("stale reads ");
    }

    /** Reads what was there before a write that was acknowledged before the call. */
    private static List<Operation> withAStaleRead(List<Operation> history) {
        List<Operation> answered =
                history.stream()
                        .filter(Operation::acknowledged)
                        .filter(one -> one.action() instanceof Swap)
                        .toList();
        Operation swap = answered.get(answered.size() / 2);
        String before = ((Swap) swap.action()).expected();
        List<Operation> stale = new ArrayList<>(history);
        stale.add(
                new Operation(
                        "stale",
                        new Read(before),
                        swap.returnedNanos() + 1,
                        swap.returnedNanos() + 2));
        return stale;
    }
}
