package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.worker.engine.SessionRules.AskFrom;
import coop.sahkar.worker.engine.SessionRules.Compute;
import coop.sahkar.worker.engine.SessionRules.Decision;
import coop.sahkar.worker.engine.SessionRules.Stale;
import coop.sahkar.worker.engine.SessionRules.Wait;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class SessionRulesTest {
    private static final int NONE = SessionRules.NOTHING_ASKED;

    /** A stage on route 3 that holds {@code end} positions and has asked for {@code asked}. */
    static Stream<Arguments> frames() {
        return Stream.of(
                Arguments.of("the first frame", 0, NONE, 3, 0, new Compute(0)),
                Arguments.of("goes on where it ends", 10, NONE, 3, 10, new Compute(10)),
                Arguments.of("takes some back", 10, NONE, 3, 4, new Compute(4)),
                Arguments.of("takes all back", 10, NONE, 3, 0, new Compute(0)),
                Arguments.of("leaves a gap", 10, NONE, 3, 11, new AskFrom(10)),
                Arguments.of("a stage that lost all", 0, NONE, 3, 80, new AskFrom(0)),
                Arguments.of("still behind the gap", 10, 10, 3, 12, new Wait()),
                Arguments.of("closes the gap", 10, 10, 3, 10, new Compute(10)),
                Arguments.of("closes it from further up", 10, 10, 3, 7, new Compute(7)),
                Arguments.of("fits, but what was asked for is earlier", 10, 5, 3, 10, new Wait()),
                Arguments.of(
                        "what was asked for on behalf of the next", 10, 5, 3, 5, new Compute(5)),
                Arguments.of("an older route", 10, NONE, 2, 10, new Stale()),
                Arguments.of("a route not opened here", 10, NONE, 4, 10, new Stale()),
                Arguments.of("an older route, asked", 10, 10, 2, 10, new Stale()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("frames")
    void decides(String what, int end, int asked, int epoch, int first, Decision decision) {
        assertThat(SessionRules.onFrame(3, end, asked, epoch, first)).as(what).isEqualTo(decision);
    }

    @ParameterizedTest
    @CsvSource({
        "10, -1, 0, true",
        "10, 10, 0, false",
        "12, 10, 99, false",
        "4, 10, 0, true",
        "10, 10, 100, true"
    })
    void asksOncePerGapUnlessTimePassesOrMoreIsNeeded(
            int position, int asked, long waited, boolean asks) {
        assertThat(SessionRules.asks(position, asked, waited, 100)).isEqualTo(asks);
    }
}
