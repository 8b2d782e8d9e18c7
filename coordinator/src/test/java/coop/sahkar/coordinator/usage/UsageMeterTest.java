package coop.sahkar.coordinator.usage;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What one generation is counted as. */
class UsageMeterTest {
    private final List<Use> uses = new ArrayList<>();
    private final UsageMeter meter = new UsageMeter("alice", 9, uses::add);

    @Test
    void thePromptCountsOnceAndEachTokenForItsRoute() {
        meter.route(ticket(1, "a", "b"), true);
        meter.tokens(3, 0);
        meter.route(ticket(2, "a", "c"), true);
        meter.tokens(4, 10);
        meter.settle();
        meter.settle();
        assertThat(uses).hasSize(2);
        assertUse(uses.getFirst(), 1, "b", 9, 3);
        assertUse(uses.getLast(), 2, "c", 0, 4);
    }

    @Test
    void whatDeliveredNothingCostsNothing() {
        meter.route(ticket(1, "a", "b"), true);
        meter.route(ticket(17, "c", "d"), true);
        meter.tokens(0, 5000);
        meter.settle();
        assertThat(uses).isEmpty();
    }

    @Test
    void anAnswerWithoutATokenCostsItsPrompt() {
        meter.route(ticket(1, "a", "b"), true);
        meter.answered(0);
        meter.settle();
        assertUse(uses.getFirst(), 1, "b", 9, 0);
    }

    @Test
    void nobodyEarnsAlongARouteThatNobodySigned() {
        meter.route(ticket(1, "a", "b"), true);
        meter.tokens(1, 0);
        meter.route(ticket(2, "a", "friend"), false);
        meter.tokens(5, 0);
        meter.settle();
        assertThat(uses.getLast().stages()).isEmpty();
        assertThat(uses.getLast().answerTokens()).isEqualTo(5);
    }

    @Test
    void aLongAnswerIsToldEverySecond() {
        meter.route(ticket(1, "a", "b"), true);
        for (int millis = 0; millis <= 5000; millis += 100) {
            meter.tokens(1, millis);
        }
        assertThat(uses).hasSizeBetween(4, 6);
        meter.settleIfDue(5000 + UsageMeter.HOLD_MILLIS);
        assertThat(uses.stream().mapToLong(Use::answerTokens).sum()).isEqualTo(51);
        assertThat(uses.stream().mapToLong(Use::promptTokens).sum()).isEqualTo(9);
    }

    private static void assertUse(Use use, int epoch, String tail, long prompt, long answer) {
        assertThat(use.account()).isEqualTo("alice");
        assertThat(use.epoch()).isEqualTo(epoch);
        assertThat(use.stages().getLast().workerId()).isEqualTo(tail);
        assertThat(use.promptTokens()).isEqualTo(prompt);
        assertThat(use.answerTokens()).isEqualTo(answer);
    }

    private static Ticket ticket(int epoch, String head, String tail) {
        return new Ticket(
                new SessionId(1, 2),
                epoch,
                "m@d",
                6,
                List.of(
                        new RouteStage(head, "h:1", new Span(0, 2)),
                        new RouteStage(tail, "h:2", new Span(2, 6))),
                "",
                100,
                1,
                1);
    }
}
