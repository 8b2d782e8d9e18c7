package coop.sahkar.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.Secret;
import coop.sahkar.proto.SessionId;
import org.junit.jupiter.api.Test;

/** What a ticket says of a caller: the same in one session, and nothing that joins two. */
class CallerMarksTest {
    private static final SessionId SESSION = new SessionId(1, 2);

    private final CallerMarks marks = new CallerMarks(new Secret(new byte[] {1, 2, 3}));

    @Test
    void aCallerHasOneMarkInOneSession() {
        String mark = marks.of(SESSION, "192.0.2.7");
        assertThat(marks.of(SESSION, "192.0.2.7")).isEqualTo(mark);
        assertThat(marks.of(SESSION, "192.0.2.8")).isNotEqualTo(mark);
        assertThat(marks.of(new SessionId(2, 1), "192.0.2.7")).isNotEqualTo(mark);
        assertThat(new CallerMarks(new Secret(new byte[] {9})).of(SESSION, "192.0.2.7"))
                .isNotEqualTo(mark);
        assertThat(mark).hasSize(32).doesNotContain("192");
    }

    @Test
    void nobodyInParticularHasNone() {
        assertThat(marks.of(SESSION, "")).isEmpty();
    }
}
