package coop.sahkar.worker.head;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.engine.StageMessage.ProbeAnswer;
import coop.sahkar.worker.head.RouteWatch.Fine;
import coop.sahkar.worker.head.RouteWatch.Lost;
import coop.sahkar.worker.head.RouteWatch.Nudge;
import coop.sahkar.worker.head.RouteWatch.ProbeAll;
import coop.sahkar.worker.head.RouteWatch.Verdict;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouteWatchTest {
    private static final SessionId SESSION = new SessionId(1, 2);
    private static final long BATCH = millis(2);

    private final RouteWatch watch = new RouteWatch(3, millis(1));
    private long now = millis(1);

    private static long millis(long millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private void trips(int count, long millis) {
        for (int i = 0; i < count; i++) {
            now += millis(millis);
            watch.moved(now);
        }
    }

    private Verdict after(long millis) {
        now += millis(millis);
        return watch.look(now, BATCH);
    }

    /** A stage that holds, has queued and has sent so much. */
    private void answers(int round, int stage, int held, int queued, int sent) {
        watch.answered(
                new ProbeAnswer(
                        SESSION, 1, stage, round, true, held, queued, true, sent, 1000, 1000));
    }

    @ParameterizedTest
    @CsvSource({"0, 2000", "10, 300", "40, 300", "60, 360", "500, 3000", "5000, 10000"})
    void theDeadlineIsLearntFromTheTrips(long tripMillis, long deadlineMillis) {
        if (tripMillis > 0) {
            trips(5, tripMillis);
        }
        assertThat(watch.deadlineNanos()).isEqualTo(millis(deadlineMillis));
        assertThat(after(deadlineMillis - 1)).isEqualTo(new Fine());
        assertThat(after(1)).isEqualTo(new ProbeAll(1));
    }

    @Test
    void whoDoesNotAnswerIsLost() {
        trips(5, 10);
        assertThat(after(300)).isEqualTo(new ProbeAll(1));
        answers(1, 0, 9, 9, 9);
        answers(1, 1, 9, 9, 9);
        assertThat(after(399)).isEqualTo(new Fine());
        assertThat(after(1))
                .isEqualTo(new Lost(List.of(2), "did not answer a probe within 400 ms"));
    }

    @Test
    void aStageThatMayBeComputingIsGivenTimeToAnswer() {
        trips(5, 10);
        after(300);
        answers(1, 0, 9, 9, 9);
        answers(1, 1, 9, 9, 9);
        now += millis(500);
        assertThat(watch.look(now, millis(200))).isEqualTo(new Fine());
        now += millis(300);
        assertThat(watch.look(now, millis(200))).isInstanceOf(Lost.class);
    }

    @Test
    void whereTripsTakeLongAnswersMayToo() {
        trips(5, 900);
        after(5400);
        answers(1, 0, 9, 9, 9);
        answers(1, 1, 9, 9, 9);
        assertThat(after(1799)).isEqualTo(new Fine());
        assertThat(after(1)).isInstanceOf(Lost.class);
    }

    @Test
    void whenNobodyAnswersTheyAreAskedTwice() {
        trips(5, 10);
        after(300);
        answers(1, 0, 9, 9, 9);
        assertThat(after(400)).isEqualTo(new ProbeAll(2));
        answers(1, 1, 9, 9, 9);
        answers(2, 0, 9, 9, 9);
        assertThat(after(400))
                .isInstanceOfSatisfying(
                        Lost.class, lost -> assertThat(lost.stages()).containsExactly(1, 2));
    }

    @ParameterizedTest
    @CsvSource({
        "true, true, 9, 8, true, 9", // sent by stage 1, not come to stage 2
        "false, true, 9, 9, true, 9", // stage 2 has not heard of the session
        "true, false, 9, 9, true, 9" // stage 1 has not heard what stage 2 holds
    })
    void whatDoesNotComeThroughIsSentOnceMoreAndThenTheLinkCountsAsCut(
            boolean open, boolean flowing, int sent, int queued, boolean tail, int end) {
        trips(5, 10);
        Verdict last = new Fine();
        for (int round = 1; round <= 2; round++) {
            assertThat(after(300)).isEqualTo(new ProbeAll(round));
            answers(round, 0, 9, 9, 9);
            watch.answered(new ProbeAnswer(SESSION, 1, 1, round, true, 9, 9, flowing, sent, 0, 0));
            watch.answered(
                    new ProbeAnswer(SESSION, 1, 2, round, open, queued, queued, tail, end, 0, 0));
            last = after(0);
            if (round == 1) {
                assertThat(last).isEqualTo(new Nudge());
            }
        }
        assertThat(last).isEqualTo(new Lost(List.of(2), "gets nothing from the stage before it"));
    }

    @Test
    void ifNothingComesToItsSuccessorEitherTheStageBeforeIsToBlame() {
        trips(5, 10);
        assertThat(cutBetween(1, 2)).isEqualTo(List.of(2));
        assertThat(cutBetween(1, 2)).isEqualTo(List.of(1));
        assertThat(cutBetween(1, 2)).isEqualTo(List.of(2));
        watch.moved(now);
        assertThat(cutBetween(1, 2)).isEqualTo(List.of(2));
        assertThat(cutBetween(0, 1)).isEqualTo(List.of(1));
        assertThat(cutBetween(0, 1)).isEqualTo(List.of(1));
    }

    /** Whom it blames when nothing comes from one stage to the next; then the route is renewed. */
    private List<Integer> cutBetween(int from, int to) {
        Verdict last = new Fine();
        while (!(last instanceof Lost)) {
            last = after(100);
            if (last instanceof ProbeAll(int round)) {
                for (int stage = 0; stage < 3; stage++) {
                    int queued = stage < to ? 9 : 8;
                    answers(round, stage, queued, queued, stage <= from ? 9 : 8);
                }
            }
        }
        watch.rerouted(3, now);
        return ((Lost) last).stages();
    }

    @Test
    void aStageThatGetsOnIsWaitedFor() {
        trips(5, 10);
        for (int round = 1; round <= 20; round++) {
            assertThat(after(300)).isEqualTo(new ProbeAll(round));
            answers(round, 0, 500, 500, 500);
            answers(round, 1, 10 * round, 500, 10 * round);
            answers(round, 2, 400, 400, 400);
            assertThat(after(0)).isEqualTo(new Fine());
        }
    }

    @Test
    void aRouteThatIsOnlySlowIsAskedLessAndLess() {
        trips(5, 10);
        long[] waits = {300, 300, 600, 1200, 2400, 4800, 9600, 10_000, 10_000};
        int round = 0;
        for (long wait : waits) {
            assertThat(after(wait - 1)).isEqualTo(new Fine());
            assertThat(after(1)).isEqualTo(new ProbeAll(++round));
            for (int stage = 0; stage < 3; stage++) {
                answers(round, stage, 9, 9, 9);
            }
            assertThat(after(0)).isEqualTo(new Fine());
        }
        watch.moved(now);
        assertThat(watch.deadlineNanos()).isEqualTo(millis(10_000));
    }

    @Test
    void aWorkerFarSlowerThanItUsedToBeIsReplaced() {
        trips(RouteWatch.TRIPS, 40);
        trips(RouteWatch.TRIPS - 1, 400);
        assertThat(after(0)).isEqualTo(new Fine());
        trips(1, 400);
        assertThat(after(0)).isEqualTo(new ProbeAll(1));
        answers(1, 0, 9, 9, 9);
        trips(1, 400);
        watch.answered(new ProbeAnswer(SESSION, 1, 1, 1, true, 9, 9, true, 9, 370_000, 15_000));
        watch.answered(new ProbeAnswer(SESSION, 1, 2, 1, true, 9, 9, true, 9, 11_000, 10_000));
        assertThat(after(0))
                .isEqualTo(new Lost(List.of(1), "takes 25 times as long as it used to"));
    }

    @Test
    void aRouteThatIsSlowForAnotherReasonIsKept() {
        trips(RouteWatch.TRIPS, 40);
        trips(RouteWatch.TRIPS, 400);
        assertThat(after(0)).isEqualTo(new ProbeAll(1));
        for (int stage = 0; stage < 3; stage++) {
            answers(1, stage, 9, 9, 9);
        }
        assertThat(after(0)).isEqualTo(new Fine());
        assertThat(after(0)).isEqualTo(new Fine());
    }

    @Test
    void aHeadThatIsTheWholeRouteWatchesNobody() {
        RouteWatch alone = new RouteWatch(1, 0);
        assertThat(alone.look(millis(100_000), BATCH)).isEqualTo(new Fine());
    }
}
