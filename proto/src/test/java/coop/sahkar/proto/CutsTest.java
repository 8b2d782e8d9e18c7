package coop.sahkar.proto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class CutsTest {
    @Test
    void theLastPartTakesWhatIsLeftOver() {
        Cuts gemma = new Cuts(26, 6);
        assertThat(gemma.units()).isEqualTo(4);
        assertThat(gemma.span(0, 1)).isEqualTo(new Span(0, 6));
        assertThat(gemma.span(3, 4)).isEqualTo(new Span(18, 26));
        assertThat(gemma.span(0, 4)).isEqualTo(new Span(0, 26));
        assertThatThrownBy(() -> gemma.span(4, 5)).hasMessage("unit 4 of 4");
    }

    @Test
    void allowsExactlyTheSpansOfWholeUnits() {
        for (int blocks = 1; blocks <= 14; blocks++) {
            for (int grain = 1; grain <= blocks; grain++) {
                everySpan(new Cuts(blocks, grain));
            }
        }
    }

    private static void everySpan(Cuts cuts) {
        for (int first = 0; first < cuts.blockCount(); first++) {
            for (int end = first + 1; end <= cuts.blockCount(); end++) {
                boolean whole = end - first >= cuts.grain() && first % cuts.grain() == 0;
                boolean restCanStand =
                        end == cuts.blockCount()
                                || (end % cuts.grain() == 0
                                        && cuts.blockCount() - end >= cuts.grain());
                assertThat(cuts.allow(new Span(first, end)))
                        .as("[%d, %d) of %s", first, end, cuts)
                        .isEqualTo(whole && restCanStand);
            }
        }
        assertThat(cuts.allow(new Span(0, cuts.blockCount() + 1))).isFalse();
    }

    @Test
    void refusesAGrainLargerThanTheModel() {
        assertThatThrownBy(() -> new Cuts(5, 6)).hasMessage("5 blocks cannot be cut by 6");
        assertThatThrownBy(() -> new Cuts(5, 0)).hasMessageContaining("cut by 0");
    }
}
