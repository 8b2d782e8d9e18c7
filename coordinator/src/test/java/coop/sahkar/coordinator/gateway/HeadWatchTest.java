package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeadWatchTest {
    private final HeadWatch watch = new HeadWatch();

    @ParameterizedTest
    @CsvSource({"0, 2000", "10, 300", "70, 420", "3000, 10000"})
    void theDeadlineIsLearntFromThePauses(long pause, long deadline) {
        watch.begun(0);
        if (pause > 0) {
            watch.heard(pause, 0);
        }
        assertThat(watch.suspects(0, deadline - 1)).isFalse();
        assertThat(watch.suspects(0, deadline)).isTrue();
        assertThat(watch.suspects(0, deadline + 1)).as("it is asked once").isFalse();
    }

    @Test
    void aReaderThatDidNotWaitIsNoReasonToSuspect() {
        watch.begun(0);
        watch.heard(10, 100);
        assertThat(watch.suspects(5_000, 5_299)).isFalse();
        assertThat(watch.suspects(5_000, 5_300)).isTrue();
    }

    @Test
    void aHeadThatAnswersIsAskedAgainLater() {
        watch.begun(0);
        watch.heard(10, 0);
        assertThat(watch.suspects(0, 300)).isTrue();
        watch.answered(320);
        assertThat(watch.suspects(0, 919)).isFalse();
        assertThat(watch.suspects(0, 920)).isTrue();
        watch.answered(920);
        watch.heard(10, 1_000);
        assertThat(watch.deadlineMillis()).isEqualTo(300);
    }

    @Test
    void withEachHeadLostTheNextIsGivenMoreTime() {
        assertThat(watch.answerMillis()).isEqualTo(400);
        watch.lost();
        assertThat(watch.answerMillis()).isEqualTo(800);
        for (int i = 0; i < 10; i++) {
            watch.lost();
        }
        assertThat(watch.answerMillis()).isEqualTo(6_400);
    }
}
