package coop.sahkar.proto;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PoolClockTest {
    private static final long START = 1_800_000_000_000L;
    private static final long HOUR = 3_600_000;

    private final AtomicLong set = new AtomicLong(START);
    private final AtomicLong passed = new AtomicLong(17);
    private final PoolClock clock = new PoolClock(set::get, passed::get);

    private void pass(long millis) {
        set.addAndGet(millis);
        passed.addAndGet(millis);
    }

    @Test
    void withoutJumpsAllTimesAreOne() {
        pass(5_000);
        assertThat(clock.earliestUnixMillis()).isEqualTo(START + 5_000);
        assertThat(clock.latestUnixMillis()).isEqualTo(START + 5_000);
        assertThat(clock.monotonicMillis()).isEqualTo(START + 5_000);
    }

    @ParameterizedTest
    @ValueSource(longs = {HOUR, -HOUR})
    void aJumpTouchesNoDurationAndEachKnowsTheHarmlessTime(long jump) {
        pass(1_000);
        set.addAndGet(jump);
        pass(1_000);
        assertThat(clock.monotonicMillis()).isEqualTo(START + 2_000);
        assertThat(clock.earliestUnixMillis()).isEqualTo(START + 2_000 + Math.min(0, jump));
        assertThat(clock.latestUnixMillis()).isEqualTo(START + 2_000 + Math.max(0, jump));
        set.addAndGet(-jump);
        assertThat(clock.earliestUnixMillis()).isEqualTo(clock.latestUnixMillis());
    }

    @ParameterizedTest
    @ValueSource(longs = {HOUR, -HOUR})
    void aJumpThatLastsIsBelieved(long jump) {
        set.addAndGet(jump);
        assertThat(clock.latestUnixMillis() - clock.earliestUnixMillis()).isEqualTo(HOUR);
        pass(PoolClock.BELIEVED_MILLIS);
        assertThat(clock.earliestUnixMillis()).isEqualTo(set.get());
        assertThat(clock.latestUnixMillis()).isEqualTo(set.get());
        assertThat(clock.monotonicMillis()).isEqualTo(START + PoolClock.BELIEVED_MILLIS);
    }

    @Test
    void aClockThatIsAdjustedIsFollowed() {
        for (int i = 0; i < 100; i++) {
            pass(10_000);
            set.addAndGet(500);
            assertThat(clock.earliestUnixMillis()).isEqualTo(set.get());
        }
    }
}
