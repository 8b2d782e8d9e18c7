package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.worker.head.Reroute;
import coop.sahkar.worker.head.Rerouting;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Routes that lose a stage and go on with another: same text, and only what was lost is redone. */
class RingRepairTest {
    private static final int[] PROMPT = Routes.prompt(30, 5);
    private static final int MOST = 60;
    private static final long SEED = 10;
    private static final List<RouteStage> ROUTE = Routes.even(3);
    private static final SealedTicket TICKET = Routes.ticket(1, 1, ROUTE, 120);

    /** After a repair the last row is fed once more, so that its token is chosen. */
    private static final int FED_AGAIN = 1;

    private final RecordingSink sink = new RecordingSink();
    private RingSimulation ring = ring(LogRoom.MEMORY_BYTES, 0);
    private SpareRouting routing = new SpareRouting(ring, new Random(4));

    private static RingSimulation ring(long logBytes, int diskPages) {
        return new RingSimulation(11, EngineLimits.DEFAULT, new BatchPolicy(8, 4, 2, 4))
                .logs(logBytes, diskPages, 160)
                .with(ROUTE, 300, 4)
                .with(SpareRouting.spares(ROUTE, 2), 300, 4);
    }

    private void start() {
        ring.routing = routing;
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
    }

    private void goOnUntil(BooleanSupplier reached) {
        while (!reached.getAsBoolean()) {
            assertThat(ring.step()).as("came to rest too early").isTrue();
        }
    }

    private void assertWhole() {
        assertThat(sink.problem).isNull();
        assertThat(sink.tokens).isEqualTo(Routes.expected(PROMPT, SEED, MOST));
    }

    private void assertAllFreeBut(String... killed) {
        for (String id : killed) {
            ring.workers.remove(id);
        }
        GenerationRingTest.assertAllFree(ring);
    }

    private Map<String, Integer> computed() {
        Map<String, Integer> rows = new LinkedHashMap<>();
        ring.workers.forEach((id, worker) -> rows.put(id, worker.stage.computed()));
        return rows;
    }

    @ParameterizedTest
    @CsvSource({"w1, 8", "w2, 8", "w1, 0", "w2, 0", "w1, 30", "w2, 30"})
    void aStageThatLeavesIsReplacedAndItsKvGoesOver(String leaver, int tokensBefore) {
        start();
        goOnUntil(() -> sink.tokens.size() == tokensBefore && !sink.prefilled.isEmpty());
        ring.worker(leaver).core.leave();
        goOnUntil(() -> !sink.routes.isEmpty());
        goOnUntil(() -> ring.worker(leaver).core.sessions().isEmpty());
        assertThat(sink.over()).as("it went on elsewhere").isFalse();
        ring.settle();
        assertWhole();
        int rows = PROMPT.length + Routes.expected(PROMPT, SEED, MOST).size() - 1;
        int computed = 0;
        long moved = 0;
        for (RingSimulation.Worker worker : ring.workers.values()) {
            computed += worker.stage.computed();
            moved += worker.stats().rowsMoved();
            assertThat(worker.stats().notMoved()).isZero();
        }
        assertThat(computed)
                .isBetween(3 * rows, 3 * rows + 3 * FED_AGAIN + (tokensBefore == 0 ? 16 : 2));
        assertThat(moved)
                .isGreaterThanOrEqualTo(tokensBefore == 0 ? 0 : PROMPT.length + tokensBefore - 2);
        GenerationRingTest.assertAllFree(ring);
    }

    /** Where its KV cannot be had, the newcomer computes as after a loss. */
    @ParameterizedTest
    @CsvSource({
        "w1, LARGE",
        "w2, LARGE",
        "w1, DEAD",
        "w2, DEAD",
        "w1, DEAF",
        "w2, DEAF",
        "w2, FULL"
    })
    void whatCannotBeMovedIsComputed(String leaver, String trouble) {
        if (trouble.equals("LARGE")) {
            ring =
                    new RingSimulation(11)
                            .parking(Limits.MAX_KV_BYTES)
                            .with(ROUTE, 300, 4)
                            .with(SpareRouting.spares(ROUTE, 1), 300, 4);
            routing = new SpareRouting(ring, new Random(4));
        }
        start();
        goOnUntil(() -> sink.tokens.size() == 8);
        for (String heir : List.of(leaver + "a", leaver + "b")) {
            if (trouble.equals("DEAF")) {
                ring.cut(heir, leaver);
            }
            if (trouble.equals("FULL") && ring.workers.containsKey(heir)) {
                ring.worker(heir).stage.losesWhatWasParked = true;
            }
        }
        ring.worker(leaver).core.leave();
        goOnUntil(() -> !sink.routes.isEmpty());
        if (trouble.equals("DEAD")) {
            ring.kill(leaver);
        }
        ring.settle();
        ring.pass(2_000);
        assertWhole();
        assertThat(sink.routes).hasSize(1);
        RouteStage heir = sink.routes.getLast().stages().get(leaver.charAt(1) - '0');
        assertThat(ring.worker(heir.workerId()).stats().rowsMoved()).isZero();
        assertThat(ring.worker(heir.workerId()).stats().notMoved()).isEqualTo(1);
        if (trouble.equals("DEAD")) {
            ring.workers.remove(leaver);
        }
        ring.pass(KvGiving.KEPT_MILLIS);
        GenerationRingTest.assertAllFree(ring);
    }

    /** What an heir gets that is not what it asked for is left alone. */
    @Test
    void aLieAboutKvIsNotBelieved() {
        start();
        goOnUntil(() -> sink.tokens.size() == 8);
        ring.tamper =
                message ->
                        message instanceof StageMessage.KvPart part && part.positions() > 0
                                ? new StageMessage.KvPart(
                                        part.session(),
                                        part.epoch(),
                                        part.workerId(),
                                        part.positions() - 1,
                                        part.bytes(),
                                        part.offset(),
                                        part.tokens(),
                                        part.part())
                                : message;
        ring.worker("w1").core.leave();
        ring.settle();
        assertWhole();
        assertThat(sink.routes).hasSize(1);
        String heir = sink.routes.getLast().stages().get(1).workerId();
        assertThat(ring.worker(heir).stats().notMoved()).isEqualTo(1);
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void aStageThatLeavesWorksOnUntilThereIsAnother() {
        start();
        goOnUntil(() -> sink.tokens.size() == 8);
        ring.routing =
                (newest, lost, why, answer) -> {
                    if (sink.tokens.size() < 20) {
                        answer.accept(new Reroute.NoneNow(why));
                    } else {
                        routing.ask(newest, lost, why, answer);
                    }
                };
        ring.worker("w1").core.leave();
        goOnUntil(() -> sink.tokens.size() == 25);
        assertThat(sink.routes).isEmpty();
        ring.worker("w1").core.leave();
        ring.settle();
        assertThat(sink.routes).hasSize(1);
        assertThat(sink.routes.getLast().stages()).doesNotContain(ROUTE.get(1));
        assertWhole();
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void withoutAnotherTheAnswerEndsAtTheStageThatLeaves() {
        start();
        goOnUntil(() -> sink.tokens.size() == 8);
        ring.routing = Rerouting.NONE;
        ring.worker("w2").core.leave();
        ring.settle();
        assertThat(sink.routes).isEmpty();
        assertWhole();
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void aHeadThatLeavesTellsItsReaderAndGoesOn() {
        start();
        goOnUntil(() -> sink.tokens.size() == 8);
        ring.worker("w0").core.leave();
        assertThat(sink.leaving).isTrue();
        ring.settle();
        assertWhole();
        GenerationRingTest.assertAllFree(ring);
    }

    @ParameterizedTest
    @CsvSource({"w1, 8", "w2, 8", "w1, 0", "w2, 0", "w1, 30", "w2, 30"})
    void onlyTheLostStageComputesAgain(String lost, int tokensBefore) {
        start();
        goOnUntil(() -> sink.tokens.size() == tokensBefore && !sink.prefilled.isEmpty());
        ring.kill(lost);
        Map<String, Integer> before = computed();
        ring.settle();
        assertWhole();
        int rows = PROMPT.length + Routes.expected(PROMPT, SEED, MOST).size() - 1;
        int again = 0;
        for (RouteStage stage : sink.routes.getLast().stages()) {
            int all = ring.worker(stage.workerId()).stage.computed();
            boolean survivor = ROUTE.contains(stage);
            assertThat(all).as(stage.workerId()).isBetween(rows, rows + FED_AGAIN + 8);
            again += survivor ? all - rows : 0;
            long counted = ring.worker(stage.workerId()).stats().rowsAgain();
            assertThat(counted)
                    .as("rows counted as computed again by %s", stage.workerId())
                    .isBetween((long) (survivor ? all - rows : tokensBefore), (long) all);
            assertThat(before.getOrDefault(stage.workerId(), 0) > 0).isEqualTo(survivor);
        }
        assertThat(again).as("rows that survivors computed twice").isLessThanOrEqualTo(2 * 8);
        if (tokensBefore > 0) {
            assertThat(again).isLessThanOrEqualTo(2 * FED_AGAIN);
        }
        assertThat(sink.routes).hasSize(1);
        assertThat(ring.worker("w0").stats().repairs()).isEqualTo(1);
        assertAllFreeBut(lost);
    }

    @Test
    void aNewHeadComputesAloneWhatTheLostOneHeld() {
        start();
        goOnUntil(() -> sink.tokens.size() == 20);
        ring.kill("w0");
        ring.settle();
        Map<String, Integer> before = computed();
        RecordingSink next = resume(Set.of("w0"));
        ring.settle();
        List<Integer> expected = Routes.expected(PROMPT, SEED, MOST);
        assertThat(next.tokens).isEqualTo(expected.subList(20, expected.size()));
        int left = expected.size() - 20;
        assertThat(ring.worker("w1").stage.computed() - before.getOrDefault("w1", 0))
                .isEqualTo(left);
        assertThat(ring.worker("w2").stage.computed() - before.getOrDefault("w2", 0))
                .isEqualTo(left);
        assertThat(ring.worker("w1").stats().reopened()).isEqualTo(1);
        assertAllFreeBut("w0");
    }

    /** What the gateway does when the head is lost. */
    private RecordingSink resume(Set<String> lost) {
        SealedTicket second = routing.next(TICKET.ticket(), lost, 17).orElseThrow();
        int[] committed = sink.tokens.stream().mapToInt(Integer::intValue).toArray();
        RecordingSink next = new RecordingSink();
        ring.start(Routes.start(second, SEED, PROMPT, committed, MOST, next));
        return next;
    }

    @ParameterizedTest
    @ValueSource(strings = {"w1", "w2"})
    void aStoppedStageIsFoundByAProbeAndReplaced(String stopped) {
        start();
        goOnUntil(() -> sink.tokens.size() == 20);
        ring.freeze(stopped);
        ring.settle();
        assertThat(sink.tokens.size()).isLessThan(40);
        ring.pass(1_000);
        assertWhole();
        assertThat(sink.routes).hasSize(1);
        ring.thaw(stopped);
        ring.settle();
        assertAllFreeBut();
    }

    @ParameterizedTest
    @CsvSource({"w0, w1", "w1, w2", "w2, w0"})
    void aLinkThatIsCutOneWayIsRepaired(String from, String to) {
        start();
        goOnUntil(() -> sink.tokens.size() == 20);
        ring.cut(from, to);
        ring.pass(3_000);
        assertWhole();
        assertThat(sink.routes).hasSize(1);
        assertThat(ring.worker("w0").stats().repairs()).isEqualTo(1);
    }

    @Test
    void twoStagesLostAtOnceAreReplacedTogetherOrOneAfterTheOther() {
        start();
        goOnUntil(() -> sink.tokens.size() == 20);
        ring.kill("w1");
        ring.kill("w2");
        ring.settle();
        assertWhole();
        assertAllFreeBut("w1", "w2");
    }

    @Test
    void aSpareThatIsLostDuringTheRepairIsReplacedToo() {
        start();
        goOnUntil(() -> sink.tokens.size() == 20);
        ring.kill("w1");
        goOnUntil(() -> !sink.routes.isEmpty());
        String spare = sink.routes.getFirst().stages().get(1).workerId();
        ring.kill(spare);
        ring.settle();
        assertWhole();
        assertThat(sink.routes).hasSize(2);
        assertAllFreeBut("w1", spare);
    }

    @Test
    void aSpareThatIsStoppedIsNoSpare() {
        ring.freeze("w1a");
        start();
        goOnUntil(() -> sink.tokens.size() == 20);
        ring.kill("w1");
        ring.settle();
        ring.pass(1_000);
        assertWhole();
        assertThat(sink.routes.getLast().stages().get(1).workerId()).isEqualTo("w1b");
    }

    @Test
    void repairsFollowEachOther() {
        start();
        for (int i = 1; i <= 2; i++) {
            int tokens = 10 * i;
            goOnUntil(() -> sink.tokens.size() == tokens);
            ring.kill(sink.routes.isEmpty() ? "w1" : at(1));
            goOnUntil(() -> sink.tokens.size() == tokens + 2);
            ring.kill(sink.routes.getLast().stages().get(2).workerId());
        }
        ring.settle();
        assertWhole();
        assertThat(sink.routes).hasSize(4);
    }

    private String at(int index) {
        return sink.routes.getLast().stages().get(index).workerId();
    }

    @Test
    void cancellingDuringARepairFreesEverything() {
        start();
        goOnUntil(() -> sink.tokens.size() == 20);
        ring.kill("w1");
        goOnUntil(() -> !sink.routes.isEmpty());
        ring.worker("w0").core.cancel(TICKET.ticket().session(), 1);
        ring.settle();
        assertThat(sink.over()).isFalse();
        assertAllFreeBut("w1");
    }

    @Test
    void withoutASpareTheHeadLooksForAWhileAndThenSaysSo() {
        start();
        goOnUntil(() -> sink.tokens.size() == 20);
        List.of("w1", "w1a", "w1b").forEach(ring::kill);
        ring.settle();
        ring.pass(9_000);
        assertThat(sink.over()).isFalse();
        ring.pass(2_500);
        assertThat(sink.problem).isNotNull();
        assertThat(sink.problem.kind()).isEqualTo(Problem.Kind.WORKER_LOST);
        assertThat(sink.problem.message()).contains("No other route was found");
        assertThat(sink.noSpare).isTrue();
        assertThat(routing.asked).isBetween(8, 30);
        assertAllFreeBut("w1", "w1a", "w1b");
    }

    @Test
    void aRouteThatNoRepairHelpsIsGivenUpAndItsRoomIsGivenBackOnce() {
        start();
        goOnUntil(() -> sink.tokens.size() == 20);
        List.of("w1", "w1a", "w1b").forEach(ring::freeze);
        for (int i = 0; i < 120 && !sink.over(); i++) {
            ring.settle();
            ring.pass(500);
        }
        assertThat(sink.problem).isNotNull();
        assertThat(sink.noSpare).isFalse();
        assertThat(ring.worker("w0").stats().kvReserved()).isZero();
        assertThat(ring.worker("w0").stats().sessions()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"w1, 0", "w2, 0", "w1, 200", "w2, 200"})
    void whatIsOnDiskIsComputedByTheNewcomerAlone(String lost, long logBytes) {
        ring = ring(logBytes, 1000);
        routing = new SpareRouting(ring, new Random(4));
        onlyTheLostStageComputesAgain(lost, 30);
        String before = lost.equals("w1") ? "w0" : "w1";
        assertThat(ring.worker(before).disk.reads).isPositive();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 160, 1000})
    void whatTheLogsHaveEvictedIsComputedFromFurtherUp(long logBytes) {
        for (String lost : List.of("w1", "w2")) {
            RingSimulation small = ring(logBytes, 0);
            RecordingSink reader = new RecordingSink();
            small.routing = new SpareRouting(small, new Random(1));
            small.start(Routes.start(TICKET, SEED, PROMPT, MOST, reader));
            while (reader.tokens.size() < 20) {
                assertThat(small.step()).isTrue();
            }
            small.kill(lost);
            small.settle();
            assertThat(reader.tokens).isEqualTo(Routes.expected(PROMPT, SEED, MOST));
        }
    }
}
