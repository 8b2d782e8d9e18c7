package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.simulate.LetterVocabulary;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A rehearsal computes what sessions compute, leaves nothing, and is short where it is slow. */
class RehearsalTest {
    private static final List<Span> SPANS =
            List.of(new Span(0, 2), new Span(2, 4), new Span(4, 6), new Span(0, 6));

    private static FakeStage rehearsed(Span span, int kvCells, long millisPerLook) {
        FakeStage stage = new FakeStage(span, kvCells, 4);
        long[] now = {0};
        Rehearsal.of(
                new LoadedStage(stage, stage.shape().head() ? new LetterVocabulary() : null),
                () -> now[0] += TimeUnit.MILLISECONDS.toNanos(millisPerLook));
        return stage;
    }

    @Test
    void everyKindOfStageIsRehearsedAndLeftEmpty() {
        for (Span span : SPANS) {
            FakeStage stage = rehearsed(span, 4096, 0);

            assertThat(stage.computed()).as("rows of %s", span).isGreaterThan(128);
            assertThat(stage.usedCells()).isZero();
            assertThat(stage.openSamplers()).isZero();
        }
    }

    @Test
    void aSlowMachineOnlyPlaysTheShortestPrompt() {
        for (Span span : SPANS) {
            FakeStage stage = rehearsed(span, 4096, 400);

            assertThat(stage.computed()).as("rows of %s", span).isBetween(1, 40);
            assertThat(stage.usedCells()).isZero();
        }
    }

    @Test
    void aSmallKvIsNotOverrun() {
        for (Span span : SPANS) {
            FakeStage stage = rehearsed(span, 64, 0);

            assertThat(stage.computed()).as("rows of %s", span).isBetween(1, 100);
            assertThat(stage.usedCells()).isZero();
        }
    }
}
