package coop.sahkar.coordinator.relay;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MeterTest {
    private static final long SECOND = 1_000_000_000;

    @Test
    void aStreamIsHeldToItsRate() {
        Meter meter = new Meter(SECOND / 4);
        long now = -5 * SECOND;
        long passed = 0;
        for (long start = now; now - start < 10 * SECOND; passed += 1000) {
            now += Math.max(1, meter.passed(1000, 100_000, now));
        }

        assertThat(passed).isBetween(1_000_000L, 1_030_000L);
    }

    @Test
    void afterAPauseSomePassesAtOnceButNoMoreThanTheBurst() {
        Meter meter = new Meter(SECOND / 4);
        meter.passed(1_000_000, 100_000, 0);

        long later = 3600 * SECOND;
        assertThat(meter.passed(25_000, 100_000, later)).isZero();
        assertThat(meter.passed(1_000, 100_000, later)).isEqualTo(SECOND / 100);
    }

    @Test
    void anotherRateCountsFromTheNextPiece() {
        Meter meter = new Meter(0);

        assertThat(meter.passed(1_000, 1_000, 0)).isEqualTo(SECOND);
        assertThat(meter.passed(1_000, 10_000, SECOND)).isEqualTo(SECOND / 10);
    }
}
