package coop.sahkar.coordinator.liveness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.coordinator.liveness.LatencyTable.Way;
import coop.sahkar.proto.Limits;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class LatencyTableTest {
    private static final int UNKNOWN = LatencyTable.UNKNOWN_REACH_MICROS;
    private final LatencyTable table = new LatencyTable();

    @Test
    void oneMeasurementServesBothDirections() {
        report("a", Map.of("b", 700), 0);
        assertThat(table.way("a", "b", 1)).isEqualTo(new Way(700, true, true));
        assertThat(table.way("b", "a", 1)).isEqualTo(new Way(700, true, true));
        report("b", Map.of("a", 900), 1);
        assertThat(table.way("b", "a", 1).micros()).as("its own counts first").isEqualTo(900);
    }

    @Test
    void anUnknownPairIsTheSumOfWhatBothUsuallyMeasure() {
        report("a", Map.of("x", 100, "y", 300, "z", 5_000), 0);
        assertThat(table.way("a", "b", 0)).isEqualTo(new Way(300 + UNKNOWN, false, true));
        report("b", Map.of("x", 40), 0);
        assertThat(table.way("a", "b", 0)).isEqualTo(new Way(340, false, true));
        assertThat(table.way("c", "d", 0).micros()).isEqualTo(2L * UNKNOWN);
    }

    @Test
    void whatCannotBeReachedIsSoOnlyInThatDirection() {
        report("a", Map.of("b", LatencyTable.UNREACHABLE), 0);
        assertThat(table.way("a", "b", 0).reachable()).isFalse();
        assertThat(table.way("b", "a", 0).reachable()).isTrue();
    }

    @Test
    void oldAndForgottenMeasurementsDoNotCount() {
        report("a", Map.of("b", 700), 0);
        assertThat(table.way("a", "b", LatencyTable.FRESH_MILLIS - 1).measured()).isTrue();
        assertThat(table.way("a", "b", LatencyTable.FRESH_MILLIS).measured()).isFalse();
        assertThat(table.of("a", LatencyTable.FRESH_MILLIS)).isEmpty();
        table.forget("a");
        assertThat(table.way("a", "b", 0).measured()).isFalse();
    }

    @Test
    void takesNoMoreThanItAskedFor() {
        TreeMap<String, Integer> many = new TreeMap<>();
        for (int i = 0; i <= Limits.MAX_MEASURED_PEERS; i++) {
            many.put("w" + i, 5);
        }
        assertThatThrownBy(() -> table.reported("a", many, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at most 32");
    }

    private void report(String worker, Map<String, Integer> micros, long nowMillis) {
        table.reported(worker, new TreeMap<>(micros), nowMillis);
    }
}
