package coop.sahkar.deploy.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class PairedTest {
    /**
     * The machine is half as fast for the second pair, which the ratio of medians would not know.
     */
    @Test
    void aSlowWhileMeetsBothOfAPair() {
        Paired pairs = new Paired(List.of(100.0, 50.0, 100.0), List.of(90.0, 40.0, 95.0));
        assertThat(pairs.ratio()).isEqualTo(0.90);
        assertThat(pairs.baseMedian()).isEqualTo(100);
        assertThat(pairs.otherMedian()).isEqualTo(90);
    }

    @Test
    void quantilesLieBetweenPairsInProportion() {
        Paired pairs = new Paired(List.of(1.0, 1.0, 1.0), List.of(2.0, 4.0, 3.0));
        assertThat(pairs.quantile(0)).isEqualTo(2);
        assertThat(pairs.quantile(0.25)).isEqualTo(2.5);
        assertThat(pairs.quantile(1)).isEqualTo(4);
    }

    @Test
    void whatHasNoPartnerIsRefused() {
        assertThatThrownBy(() -> new Paired(List.of(1.0), List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("1 measurements beside 0");
    }
}
