package coop.sahkar.worker.ring;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.GeneralSecurityException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Answers go round a rehearsed ring as often as was said, and no longer than that may take. */
class RingRehearsalTest {
    @Test
    void answersAreMadeToTheirEnd() throws GeneralSecurityException {
        assertThat(RingRehearsal.run(() -> 0)).isBetween(1_500, 1_700);
    }

    @Test
    void aSlowMachineRehearsesLess() throws GeneralSecurityException {
        long[] now = {0};

        int tokens = RingRehearsal.run(() -> now[0] += TimeUnit.MICROSECONDS.toNanos(200));

        assertThat(tokens).isBetween(1, 1_500);
    }

    @Test
    void aStandingRehearsalGoesOnFromAnswerToAnswer() throws GeneralSecurityException {
        RingRehearsal standing = RingRehearsal.standing(() -> 0);

        int tokens = 0;
        for (int i = 1; i <= 9_000; i++) {
            int now = standing.token();
            assertThat(now).isEqualTo(tokens + 1);
            tokens = now;
        }
    }
}
