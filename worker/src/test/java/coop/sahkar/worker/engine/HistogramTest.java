package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HistogramTest {
    @Test
    void quantilesAreRightWithinThirteenPercent() {
        Histogram histogram = new Histogram();
        for (int micros = 1; micros <= 100_000; micros++) {
            histogram.record(micros);
        }
        assertThat(histogram.count()).isEqualTo(100_000);
        for (double share : new double[] {0.001, 0.25, 0.5, 0.9, 0.99, 1}) {
            double exact = share * 100_000;
            assertThat((double) histogram.quantile(share)).isBetween(exact, exact * 1.13);
        }
    }

    @Test
    void extremesAreCounted() {
        Histogram histogram = new Histogram();
        assertThat(histogram.quantile(0.5)).isZero();
        histogram.record(-5);
        assertThat(histogram.quantile(1)).isZero();
        histogram.record(Long.MAX_VALUE);
        assertThat(histogram.quantile(1)).isEqualTo(Integer.MAX_VALUE);
    }
}
