package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RhythmTest {
    private final Rhythm rhythm = new Rhythm();
    private long now;

    private boolean closeAfter(long waitNanos) {
        rhythm.waits(now);
        now += waitNanos;
        rhythm.computes(now);
        return rhythm.close();
    }

    @Test
    void theFirstTokenIsWaitedForAwake() {
        assertThat(rhythm.close()).isTrue();
    }

    @Test
    void afterATokenThatTookLongTheNextIsNotUntilOneComesSoon() {
        assertThat(closeAfter(Rhythm.MOST_NANOS)).isTrue();
        assertThat(closeAfter(Rhythm.MOST_NANOS + 1)).isFalse();
        assertThat(closeAfter(5 * Rhythm.MOST_NANOS)).isFalse();
        assertThat(closeAfter(Rhythm.MOST_NANOS / 2)).isTrue();
    }

    /** The pause between two answers says nothing of the second one's tokens. */
    @Test
    void aPromptBeginsAnew() {
        assertThat(closeAfter(100 * Rhythm.MOST_NANOS)).isFalse();
        rhythm.computes(now);
        assertThat(rhythm.close()).isTrue();
    }
}
