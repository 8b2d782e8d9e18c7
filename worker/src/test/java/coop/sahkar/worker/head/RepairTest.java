package coop.sahkar.worker.head;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.worker.engine.Routes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Every arrow of the drawing in {@link Repair}, and what does not move it. */
class RepairTest {
    private static final SealedTicket FIRST = route(1, "w1", "w2");
    private static final Problem LOST = Problem.of(Problem.Kind.WORKER_LOST, "Worker w1 is gone.");
    private static final Problem NONE = Problem.of(Problem.Kind.MODEL_INCOMPLETE, "No spare.");

    private final Repair repair = new Repair(FIRST);

    private static SealedTicket route(int epoch, String middle, String tail) {
        List<RouteStage> stages = new ArrayList<>(Routes.even(3));
        stages.set(1, new RouteStage(middle, "h:1", stages.get(1).span()));
        stages.set(2, new RouteStage(tail, "h:2", stages.get(2).span()));
        return Routes.ticket(1, epoch, stages, 100);
    }

    private static long millis(long millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private static Repair.Ask ask(Repair.Step step) {
        assertThat(step).isInstanceOf(Repair.Ask.class);
        return (Repair.Ask) step;
    }

    @Test
    void aLossIsAskedAboutAtOnceAndTheRouteFoundIsOpened() {
        Repair.Ask asked = ask(repair.lost("w1", LOST, millis(5)));
        assertThat(asked.newest()).isEqualTo(FIRST);
        assertThat(asked.lost()).containsExactly("w1");
        assertThat(asked.why()).isEqualTo(LOST);
        assertThat(repair.underway()).isTrue();
        SealedTicket next = route(2, "s1", "w2");
        assertThat(repair.answered(new Reroute.Found(next), millis(9)))
                .isEqualTo(new Repair.Reopen(next, millis(4), Set.of()));
        assertThat(repair.underway()).isFalse();
        assertThat(ask(repair.lost("s1", LOST, millis(20))).newest()).isEqualTo(next);
    }

    @Test
    void whatIsNotOfTheRouteMovesNothing() {
        assertThat(repair.lost("w9", LOST, 1)).isEqualTo(new Repair.Rest());
        assertThat(repair.answered(new Reroute.Found(route(2, "s1", "w2")), 1))
                .isEqualTo(new Repair.Rest());
        assertThat(repair.look(millis(60_000))).isEqualTo(new Repair.Rest());
        repair.lost("w1", LOST, 1);
        assertThat(repair.lost("w1", LOST, 2)).isEqualTo(new Repair.Rest());
        assertThat(repair.answered(new Reroute.Found(FIRST), 3)).isEqualTo(new Repair.Rest());
    }

    @Test
    void aRouteOverAWorkerThatWasLostMeanwhileIsNotOpened() {
        repair.lost("w1", LOST, millis(5));
        assertThat(repair.lost("w2", LOST, millis(6))).isEqualTo(new Repair.Rest());
        SealedTicket stale = route(2, "s1", "w2");
        Repair.Ask again = ask(repair.answered(new Reroute.Found(stale), millis(7)));
        assertThat(again.newest()).isEqualTo(stale);
        assertThat(again.lost()).containsExactly("w1", "w2");
        SealedTicket next = route(3, "s1", "s2");
        assertThat(repair.answered(new Reroute.Found(next), millis(8)))
                .isEqualTo(new Repair.Reopen(next, millis(3), Set.of()));
    }

    @Test
    void withoutARouteItAsksAgainAfterPausesThatGrow() {
        long now = 0;
        repair.lost("w1", LOST, now);
        List<Long> pauses = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            assertThat(repair.answered(new Reroute.NoneNow(NONE), now))
                    .isEqualTo(new Repair.Rest());
            long asleep = now;
            while (repair.look(now) instanceof Repair.Rest) {
                now += millis(10);
            }
            pauses.add(TimeUnit.NANOSECONDS.toMillis(now - asleep));
        }
        assertThat(pauses).containsExactly(50L, 100L, 200L, 400L, 800L, 1000L, 1000L);
    }

    @Test
    void whenTheSearchHasTakenTooLongItGivesUpAndSaysBoth() {
        repair.lost("w1", LOST, 0);
        Repair.Step step = repair.answered(new Reroute.NoneNow(NONE), Repair.SEARCH_NANOS);
        assertThat(step).isInstanceOf(Repair.GiveUp.class);
        Repair.GiveUp end = (Repair.GiveUp) step;
        assertThat(end.noSpare()).isTrue();
        assertThat(end.workerId()).isEqualTo("w1");
        assertThat(end.problem().kind()).isEqualTo(Problem.Kind.WORKER_LOST);
        assertThat(end.problem().message()).contains("w1 is gone").contains("No spare.");
        assertThat(repair.lost("w2", LOST, 1)).isEqualTo(new Repair.Rest());
    }

    @Test
    void whereThereWillBeNoneItGivesUpAtOnce() {
        repair.lost("w1", LOST, 0);
        assertThat(repair.answered(new Reroute.Never(NONE), 1))
                .isInstanceOfSatisfying(
                        Repair.GiveUp.class, end -> assertThat(end.noSpare()).isFalse());
    }

    @Test
    void whereAnotherHeadWouldDoTheSessionIsGivenBackAtOnce() {
        repair.lost("w1", LOST, 0);
        assertThat(repair.answered(new Reroute.AnotherHead(NONE), 1))
                .isInstanceOfSatisfying(
                        Repair.GiveUp.class, end -> assertThat(end.noSpare()).isTrue());
    }

    @Test
    void aCoordinatorThatDoesNotAnswerKnowsOfNone() {
        repair.lost("w1", LOST, 0);
        assertThat(repair.look(Repair.ANSWER_NANOS - 1)).isEqualTo(new Repair.Rest());
        assertThat(repair.look(Repair.ANSWER_NANOS)).isEqualTo(new Repair.Rest());
        ask(repair.look(Repair.ANSWER_NANOS + Repair.PAUSE_NANOS));
    }

    @Test
    void aLostWorkerMayHaveComeBackAfterAWhile() {
        repair.lost("w1", LOST, 0);
        SealedTicket next = route(2, "s1", "w2");
        repair.answered(new Reroute.Found(next), millis(1));
        long soon = Repair.RETURN_NANOS - 1;
        assertThat(ask(repair.lost("w2", LOST, soon)).lost()).containsExactly("w1", "w2");
        repair.answered(new Reroute.Found(route(3, "s1", "s2")), soon);
        assertThat(ask(repair.lost("s1", LOST, soon + 1)).lost()).containsExactly("s1", "w2");
    }

    @Test
    void whereThereIsNoRouteWithoutItALostWorkerIsTakenAgainBefore() {
        repair.lost("w1", LOST, 0);
        repair.answered(new Reroute.NoneNow(NONE), Repair.FORGIVEN_NANOS - millis(60));
        long soon = Repair.FORGIVEN_NANOS - millis(1);
        assertThat(ask(repair.look(soon)).lost()).containsExactly("w1");
        repair.answered(new Reroute.NoneNow(NONE), Repair.FORGIVEN_NANOS);
        assertThat(ask(repair.look(Repair.FORGIVEN_NANOS + millis(200))).lost()).isEmpty();
    }

    @Test
    void aWorkerThatLeavesIsRoutedAroundWhileTheRouteIsWhole() {
        Repair.Ask asked = ask(repair.leaves("w1", millis(5)));
        assertThat(asked.lost()).containsExactly("w1");
        assertThat(asked.why().message()).contains("w1 is leaving");
        assertThat(repair.underway()).isFalse();
        assertThat(repair.leaves("w1", millis(6))).isEqualTo(new Repair.Rest());
        SealedTicket next = route(2, "s1", "w2");
        assertThat(repair.answered(new Reroute.Found(next), millis(9)))
                .isEqualTo(new Repair.Reopen(next, millis(4), Set.of("w1")));
        assertThat(repair.leaves("w1", millis(10))).isEqualTo(new Repair.Rest());
    }

    @Test
    void aWorkerThatLeavesIsKeptWhileThereIsNoOther() {
        List<Reroute> none =
                List.of(
                        new Reroute.NoneNow(NONE),
                        new Reroute.Never(NONE),
                        new Reroute.Found(route(2, "w1", "s2")));
        long now = 0;
        for (Reroute answer : none) {
            now += 2 * Repair.SEARCH_NANOS;
            ask(repair.leaves("w1", now));
            assertThat(repair.answered(answer, now + 1)).isEqualTo(new Repair.Rest());
            assertThat(repair.look(now + Repair.SEARCH_NANOS)).isEqualTo(new Repair.Rest());
        }
        now += 2 * Repair.SEARCH_NANOS;
        ask(repair.leaves("w1", now));
        assertThat(repair.look(now + Repair.ANSWER_NANOS)).isEqualTo(new Repair.Rest());
        ask(repair.leaves("w1", now + Repair.ANSWER_NANOS + 1));
    }

    @Test
    void aLossWhileAWorkerLeavesIsRepairedAndMayKeepIt() {
        ask(repair.leaves("w1", millis(5)));
        assertThat(repair.lost("w2", LOST, millis(6))).isEqualTo(new Repair.Rest());
        assertThat(repair.underway()).isTrue();
        Repair.Ask asked = ask(repair.answered(new Reroute.Found(route(2, "s1", "w2")), millis(7)));
        assertThat(asked.lost()).containsExactly("w2");
        SealedTicket next = route(3, "w1", "s2");
        assertThat(repair.answered(new Reroute.Found(next), millis(8)))
                .isEqualTo(new Repair.Reopen(next, millis(2), Set.of()));
        assertThat(ask(repair.leaves("w1", millis(500))).lost()).containsExactly("w1", "w2");
    }

    @Test
    void repairsFromWhichNothingComesEndAndThoseThatHelpDoNot() {
        long now = millis(1);
        for (int i = 1; i <= 3 * Repair.FRUITLESS_REPAIRS; i++) {
            repair.moved();
            now = repairOnce(i, now);
        }
        for (int i = 1; i < Repair.FRUITLESS_REPAIRS; i++) {
            now = repairOnce(100 + i, now);
        }
        assertThat(repair.lost("s" + (100 + Repair.FRUITLESS_REPAIRS - 1), LOST, now))
                .isInstanceOf(Repair.GiveUp.class);
    }

    private long repairOnce(int i, long now) {
        String middle =
                i == 1 ? "w1" : i == 101 ? "s" + 3 * Repair.FRUITLESS_REPAIRS : "s" + (i - 1);
        ask(repair.lost(middle, LOST, now));
        assertThat(repair.answered(new Reroute.Found(route(i + 1, "s" + i, "w2")), now))
                .isInstanceOf(Repair.Reopen.class);
        return now + millis(10);
    }
}
