package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.gateway.ResumePlan.Next;
import coop.sahkar.coordinator.gateway.ResumePlan.Taken;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.Rerouted;
import coop.sahkar.proto.v1.Started;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ResumePlanTest {
    private static final Patience PATIENCE =
            new Patience(60_000, 30_000, 60_000, 10_000, 60_000, 5_000, 100, 5_000, 5_000, 0);

    private final ResumePlan plan = new ResumePlan(PATIENCE);

    @Test
    void aFreshPlanHasNoSession() {
        assertThat(plan.session()).isNull();
        assertThat(plan.epoch()).isZero();
        assertThat(plan.avoid(0)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Problem.Kind.class)
    void onlySomeFailuresAreWorthAnotherTry(Problem.Kind kind) {
        plan.drawn(ticket(1));
        Next next = plan.failed(Problem.of(kind, "it failed"), "w1", 0);
        if (kind.retryable()) {
            assertThat(next).isEqualTo(new Next.TryAgain(0));
            assertThat(plan.avoid(0)).containsExactly("w1");
        } else {
            assertThat(next).isEqualTo(new Next.GiveUp(Problem.of(kind, "it failed")));
        }
    }

    @Test
    void theThirdLossIsTheLast() {
        for (int epoch = 1; epoch < ResumePlan.MAX_ATTEMPTS; epoch++) {
            plan.drawn(ticket(epoch));
            assertThat(plan.failed(lost(), "w" + epoch, epoch)).isInstanceOf(Next.TryAgain.class);
        }
        plan.drawn(ticket(3));
        assertThat(plan.failed(lost(), "w3", 3)).isEqualTo(new Next.GiveUp(lost()));
    }

    @Test
    void aLostWorkerMayComeBack() {
        plan.drawn(ticket(1));
        plan.failed(lost(), "w1", 1_000);
        assertThat(plan.avoid(5_999)).containsExactly("w1");
        assertThat(plan.avoid(6_000)).isEmpty();
    }

    /** First problem, second problem, tokens before, milliseconds since: what comes of it. */
    @ParameterizedTest
    @CsvSource({
        "         , MODEL_INCOMPLETE, false,     0, MODEL_INCOMPLETE",
        "         , OVERLOADED,       false,     0, OVERLOADED",
        "         , MODEL_NOT_FOUND,  false,     0, MODEL_NOT_FOUND",
        "OVERLOADED, MODEL_INCOMPLETE, false,    0, OVERLOADED",
        "OVERLOADED, MODEL_INCOMPLETE, true,     0, again",
        "WORKER_LOST, MODEL_INCOMPLETE, false,   0, again",
        "WORKER_LOST, MODEL_INCOMPLETE, true, 9999, again",
        "WORKER_LOST, OVERLOADED,       true, 9999, again",
        "WORKER_LOST, MODEL_INCOMPLETE, true, 10000, WORKER_LOST",
        "WORKER_LOST, MODEL_NOT_FOUND,  true,    0, MODEL_NOT_FOUND",
    })
    void withoutARoute(
            Problem.Kind before, Problem.Kind noRoute, boolean tokens, long since, String outcome) {
        if (before != null) {
            plan.drawn(ticket(1));
            if (tokens) {
                plan.take(started());
                plan.take(delta(7, "a", 1));
            }
            plan.failed(Problem.of(before, "Worker w1 was lost."), "w1", 0);
        }
        Next next = plan.noRoute(Problem.of(noRoute, "Nobody holds [0, 6)."), false, since);
        if (outcome.equals("again")) {
            assertThat(next).isInstanceOf(Next.TryAgain.class);
        } else {
            Problem given = ((Next.GiveUp) next).problem();
            assertThat(given.kind()).hasToString(outcome);
            assertThat(given.message()).contains("[0, 6)");
        }
    }

    @Test
    void aPoolThatHealsIsWaitedForLongerAndWhileItDoesOnly() {
        plan.drawn(ticket(1));
        plan.failed(lost(), "w1", 0);
        Problem none = Problem.of(Problem.Kind.MODEL_INCOMPLETE, "none");
        assertThat(plan.noRoute(none, true, 10_000)).isInstanceOf(Next.TryAgain.class);
        assertThat(plan.noRoute(none, true, 59_999)).isInstanceOf(Next.TryAgain.class);
        assertThat(plan.noRoute(none, false, 10_000)).isInstanceOf(Next.GiveUp.class);
        assertThat(plan.noRoute(none, true, 60_000)).isInstanceOf(Next.GiveUp.class);
    }

    @Test
    void aHeadWithoutASpareHasSpentTheTimeForFindingOne() {
        plan.drawn(ticket(1));
        assertThat(plan.withoutSpare(lost(), "w2", 20_000)).isEqualTo(new Next.TryAgain(0));
        assertThat(plan.headWithoutSpare()).isTrue();
        assertThat(plan.avoid(20_000)).containsExactly("w2");
        Problem none = Problem.of(Problem.Kind.MODEL_INCOMPLETE, "none");
        assertThat(plan.noRoute(none, true, 20_000)).isInstanceOf(Next.TryAgain.class);
        assertThat(plan.noRoute(none, false, 20_000)).isInstanceOf(Next.GiveUp.class);
        plan.drawn(ticket(2));
        assertThat(plan.headWithoutSpare()).isFalse();
    }

    @Test
    void pausesGrowToABound() {
        plan.drawn(ticket(1));
        plan.failed(lost(), "w1", 0);
        Problem none = Problem.of(Problem.Kind.MODEL_INCOMPLETE, "none");
        assertThat(List.of(1, 2, 3, 4, 5, 6))
                .map(i -> ((Next.TryAgain) plan.noRoute(none, false, i)).pauseMillis())
                .containsExactly(100, 200, 400, 800, 1_000, 1_000);
    }

    @Test
    void anotherHeadGoesOnWhereTheFirstStopped() {
        plan.drawn(ticket(1));
        assertThat(plan.take(started())).isInstanceOf(Taken.Pass.class);
        assertThat(plan.take(delta(7, "ä", 101))).isInstanceOf(Taken.Pass.class);
        assertThat(plan.take(delta(8, "", 102, 103))).isInstanceOf(Taken.Pass.class);
        plan.failed(lost(), "w1", 0);
        plan.drawn(ticket(2));
        assertThat(plan.session()).isEqualTo(new SessionId(1, 2));
        assertThat(plan.epoch()).isEqualTo(2);
        assertThat(plan.committed()).containsExactly(101, 102, 103);
        assertThat(plan.deliveredBytes()).isEqualTo(2);
        assertThat(plan.prefilling()).isTrue();
        assertThat(plan.take(started())).isEqualTo(new Taken.Swallow());
        assertThat(plan.take(delta(10, "b", 104))).isInstanceOf(Taken.Pass.class);
        assertThat(plan.prefilling()).isFalse();
        Finished own = Finished.newBuilder().setCompletionTokens(1).build();
        assertThat(plan.finish(own).getCompletionTokens()).isEqualTo(4);
        Finished all = Finished.newBuilder().setCompletionTokens(5).build();
        assertThat(plan.finish(all)).isEqualTo(all);
    }

    @Test
    void aRepairOfTheHeadIsTakenNoteOfAndNotToldTheReader() {
        plan.drawn(ticket(1));
        plan.take(started());
        assertThat(plan.take(rerouted(3, "w1", 6))).isEqualTo(new Taken.Swallow());
        assertThat(plan.epoch()).isEqualTo(3);
        assertThat(plan.nextEpoch()).isEqualTo(3 + ResumePlan.UNHEARD_REPAIRS);
        assertThat(plan.take(rerouted(3, "w1", 6))).isInstanceOf(Taken.Breach.class);
        assertThat(plan.take(rerouted(4, "w1", 5))).isInstanceOf(Taken.Breach.class);
    }

    @Test
    void headsThatGetOnCanBeLostAsOftenAsTheyAre() {
        for (int i = 0; i < 3 * ResumePlan.MAX_ATTEMPTS; i++) {
            plan.drawn(ticket(1 + i));
            plan.take(started());
            plan.take(delta(7 + i, "x", i));
            assertThat(plan.failed(lost(), "w1", i)).isEqualTo(new Next.TryAgain(0));
        }
    }

    private static GenerationEvent rerouted(int epoch, String worker, int blocks) {
        return GenerationEvent.newBuilder()
                .setRerouted(
                        Rerouted.newBuilder()
                                .setEpoch(epoch)
                                .addRoute(
                                        Wire.toWire(
                                                new RouteStage(
                                                        worker, "h:1", new Span(0, blocks)))))
                .build();
    }

    @ParameterizedTest
    @CsvSource({"6, repeats", "8, skips", "0, starts over"})
    void tokensOutOfPlaceAreABreach(int position, String why) {
        plan.drawn(ticket(1));
        plan.take(started());
        assertThat(plan.take(delta(position, "x", 1))).as(why).isInstanceOf(Taken.Breach.class);
        assertThat(plan.committed()).isEmpty();
    }

    @Test
    void otherBreaches() {
        plan.drawn(ticket(1));
        assertThat(plan.take(delta(0, "x", 1))).isInstanceOf(Taken.Breach.class);
        plan.take(started());
        assertThat(plan.take(started())).isInstanceOf(Taken.Breach.class);
        assertThat(plan.take(GenerationEvent.getDefaultInstance()))
                .isInstanceOf(Taken.Breach.class);
        assertThat(plan.take(delta(7, "x", new int[14]))).isInstanceOf(Taken.Breach.class);
    }

    private static Problem lost() {
        return Problem.of(Problem.Kind.WORKER_LOST, "Worker w1 was lost.");
    }

    private static Ticket ticket(int epoch) {
        return new Ticket(
                new SessionId(1, 2),
                epoch,
                "m@d",
                6,
                List.of(new RouteStage("w1", "127.0.0.1:1", new Span(0, 6))),
                "",
                20,
                Long.MAX_VALUE,
                1);
    }

    private static GenerationEvent started() {
        return GenerationEvent.newBuilder()
                .setStarted(Started.newBuilder().setPromptTokens(7))
                .build();
    }

    private static GenerationEvent delta(int position, String text, int... tokens) {
        Delta.Builder delta = Delta.newBuilder().setPosition(position).setText(text);
        for (int token : tokens) {
            delta.addTokens(token);
        }
        return GenerationEvent.newBuilder().setDelta(delta).build();
    }
}
