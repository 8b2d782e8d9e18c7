package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.RouteStage;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tokens of a lone session that stages begin before they come; the fuzz tests have the rest. */
class ForesightTest {
    private static final List<RouteStage> ROUTE = Routes.even(3);
    private static final int[] PROMPT = Routes.prompt(12, 3);
    private static final int TOKENS = 40;

    private static int foreseen(RingSimulation ring) {
        return ring.workers.values().stream().mapToInt(worker -> worker.foreseen).sum();
    }

    private static RingSimulation played(int sessions) {
        RingSimulation ring = new RingSimulation(7).with(ROUTE, 2000, 10);
        for (int i = 0; i < sessions; i++) {
            RecordingSink sink = new RecordingSink();
            ring.start(Routes.start(Routes.ticket(i, 1, ROUTE, 120), i, PROMPT, TOKENS, sink));
            if (sessions == 1) {
                ring.settle();
                assertThat(sink.tokens).isEqualTo(Routes.expected(PROMPT, i, TOKENS));
            }
        }
        ring.settle();
        GenerationRingTest.assertAllFree(ring);
        return ring;
    }

    @Test
    void mostTokensOfALoneSessionAreBegunBeforeTheyCome() {
        int made = Routes.expected(PROMPT, 0, TOKENS).size();
        assertThat(foreseen(played(1))).isBetween(made, ROUTE.size() * made);
    }

    @Test
    void aRowThatTheLibraryRefusesFailsItsSession() {
        RingSimulation ring = new RingSimulation(7).with(ROUTE, 2000, 10);
        RecordingSink sink = new RecordingSink();
        ring.start(Routes.start(Routes.ticket(1, 1, ROUTE, 120), 1, PROMPT, TOKENS, sink));
        while (ring.worker("w1").foreseen == 0) {
            assertThat(ring.step()).isTrue();
        }
        ring.worker("w1").stage.refuseNext("out of paper");
        ring.settle();
        assertThat(sink.over()).isTrue();
        assertThat(sink.problem).isNotNull();
        assertThat(sink.problem.message()).contains("w1", "out of paper");
        GenerationRingTest.assertAllFree(ring);
    }
}
