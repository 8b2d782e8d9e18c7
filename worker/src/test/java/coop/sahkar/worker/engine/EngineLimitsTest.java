package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EngineLimitsTest {
    @Test
    void aSlowStageWaitsLongerForWhatItsSessionsSend() {
        EngineLimits limits = EngineLimits.DEFAULT;
        long usual = TimeUnit.MILLISECONDS.toNanos(limits.idleMillis());
        assertThat(limits.idleNanos(0)).isEqualTo(usual);
        assertThat(limits.idleNanos(TimeUnit.SECONDS.toNanos(1))).isEqualTo(usual);
        assertThat(limits.idleNanos(TimeUnit.SECONDS.toNanos(10)))
                .isEqualTo(TimeUnit.SECONDS.toNanos(320));
    }
}
