package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.worker.engine.StageMessage.Tokens;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Generations that run round a ring in which nothing fails. */
class GenerationRingTest {
    private static final int[] PROMPT = Routes.prompt(21, 5);

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 6})
    void everyCutGivesTheAnswerOfTheWholeModel(int stages) {
        List<RouteStage> route = Routes.even(stages);
        RingSimulation ring = new RingSimulation(1).with(route, 200, 4);
        RecordingSink sink = new RecordingSink();
        ring.start(Routes.start(Routes.ticket(1, 1, route, 100), 7, PROMPT, 40, sink));
        ring.settle();
        assertThat(sink.tokens).isEqualTo(Routes.expected(PROMPT, 7, 40));
        assertThat(sink.end).isNotNull();
        assertThat(sink.prefilled.getLast()).isEqualTo(PROMPT.length);
        assertAllFree(ring);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void manySessionsAtOnceDoNotDisturbEachOther(int stages) {
        List<RouteStage> route = Routes.even(stages);
        RingSimulation ring = new RingSimulation(2).with(route, 2000, 20);
        List<RecordingSink> sinks = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            RecordingSink sink = new RecordingSink();
            sinks.add(sink);
            int[] prompt = Routes.prompt(1 + i * 3, i);
            ring.start(Routes.start(Routes.ticket(i, 1, route, 100), i, prompt, 30, sink));
        }
        ring.settle();
        for (int i = 0; i < 20; i++) {
            int[] prompt = Routes.prompt(1 + i * 3, i);
            assertThat(sinks.get(i).tokens).isEqualTo(Routes.expected(prompt, i, 30));
        }
        assertAllFree(ring);
    }

    @Test
    void aHeadKnowsWhatOfATokensTimeNobodyComputed() {
        List<RouteStage> route = Routes.even(3);
        RingSimulation ring = new RingSimulation(1).with(route, 200, 4);
        ring.computesFor("w0", 3_000);
        ring.computesFor("w1", 4_000);
        ring.computesFor("w2", 5_000);
        RecordingSink sink = new RecordingSink();
        ring.start(Routes.start(Routes.ticket(1, 1, route, 100), 7, PROMPT, 40, sink));
        ring.settle();
        StageStats head = ring.worker("w0").stats();
        assertThat(head.loneOutsideMicros()).as("three messages, three turns").isEqualTo(600);
        assertThat(head.loneTokenMicros()).isEqualTo(12_600);
        assertThat(ring.worker("w1").stats().loneOutsideMicros()).isZero();
    }

    @Test
    void whatOneBatchMadeTravelsTogether() {
        List<RouteStage> route = Routes.even(2);
        RingSimulation ring = new RingSimulation(3).with(route, 2000, 16);
        for (int i = 0; i < 16; i++) {
            int[] prompt = Routes.prompt(4, i);
            ring.start(
                    Routes.start(
                            Routes.ticket(i, 1, route, 60), i, prompt, 50, new RecordingSink()));
        }
        ring.settle();
        assertThat(ring.sent.stream().filter(m -> m instanceof Tokens(var t) && t.size() > 1))
                .isNotEmpty();
        assertThat(ring.worker("w1").largestBatch).isGreaterThan(4);
    }

    @Test
    void committedTokensAreNotReportedAgain() {
        List<RouteStage> route = Routes.even(3);
        List<Integer> whole = Routes.expected(PROMPT, 9, 30);
        assertThat(whole).hasSizeGreaterThan(12);
        int[] committed = whole.stream().limit(10).mapToInt(Integer::intValue).toArray();
        RingSimulation ring = new RingSimulation(4).with(route, 200, 4);
        RecordingSink sink = new RecordingSink();
        ring.start(Routes.start(Routes.ticket(1, 1, route, 100), 9, PROMPT, committed, 30, sink));
        ring.settle();
        assertThat(sink.tokens).isEqualTo(whole.subList(10, whole.size()));
        assertThat(sink.end).isNotNull();
        assertThat(sink.end.completionTokens()).isEqualTo(whole.size());
    }

    @Test
    void tokensAndPromptsGetOnSideBySide() {
        List<RouteStage> route = Routes.even(3);
        RingSimulation ring = new RingSimulation(5).with(route, 4000, 10);
        RecordingSink talker = new RecordingSink();
        ring.start(Routes.start(Routes.ticket(1, 1, route, 400), 10, PROMPT, 300, talker));
        while (talker.tokens.size() < 5) {
            assertThat(ring.step()).isTrue();
        }
        RecordingSink reader = new RecordingSink();
        int[] longPrompt = Routes.prompt(300, 2);
        ring.start(Routes.start(Routes.ticket(2, 1, route, 400), 2, longPrompt, 5, reader));
        int before = talker.tokens.size();
        while (reader.tokens.isEmpty()) {
            assertThat(ring.step()).isTrue();
        }
        assertThat(talker.tokens.size() - before).isGreaterThan(10);
        assertThat(talker.over()).isFalse();
    }

    @Test
    void aHeadLeavesRowsForTheOtherStagesToWorkOn() {
        List<RouteStage> route = Routes.even(3);
        RingSimulation ring = new RingSimulation(6).with(route, 4000, 12);
        for (int i = 0; i < 12; i++) {
            int[] prompt = Routes.prompt(1, i);
            ring.start(
                    Routes.start(
                            Routes.ticket(i, 1, route, 60), i, prompt, 50, new RecordingSink()));
        }
        ring.settle();
        assertThat(ring.worker("w0").largestBatch).isEqualTo(4);
    }

    static void assertAllFree(RingSimulation ring) {
        for (RingSimulation.Worker worker : ring.workers.values()) {
            assertThat(worker.stage.usedCells()).as(worker.place.workerId()).isZero();
            assertThat(worker.stage.parked()).as(worker.place.workerId()).isZero();
            assertThat(worker.stage.openSamplers()).as(worker.place.workerId()).isZero();
            assertThat(worker.stats().kvReserved()).as(worker.place.workerId()).isZero();
            assertThat(worker.stats().sessions()).as(worker.place.workerId()).isZero();
            assertThat(worker.core.waitingRows()).as(worker.place.workerId()).isZero();
            assertThat(worker.logs.usedBytes()).as(worker.place.workerId()).isZero();
            assertThat(worker.disk.files).as(worker.place.workerId()).isEmpty();
            assertThat(worker.disk.disk.freePages()).isEqualTo(worker.disk.pages);
        }
    }
}
