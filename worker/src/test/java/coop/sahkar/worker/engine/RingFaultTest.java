package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.Frames;
import coop.sahkar.worker.engine.StageMessage.NeedFrom;
import coop.sahkar.worker.engine.StageMessage.Open;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes wrong in a ring, and what the user sees of it. */
class RingFaultTest {
    private static final int[] PROMPT = Routes.prompt(30, 5);
    private static final int MOST = 60;
    private static final long SEED = 10;
    private static final List<RouteStage> ROUTE = Routes.even(3);
    private static final SealedTicket TICKET = Routes.ticket(1, 1, ROUTE, 120);

    private final RecordingSink sink = new RecordingSink();

    private RingSimulation ring(long logBytes) {
        return new RingSimulation(11, EngineLimits.DEFAULT, new BatchPolicy(8, 4, 2, 4))
                .logs(logBytes, 0, 160)
                .with(ROUTE, 300, 4);
    }

    private static void goOnUntil(RingSimulation ring, BooleanSupplier reached) {
        while (!reached.getAsBoolean()) {
            assertThat(ring.step()).as("came to rest too early").isTrue();
        }
    }

    @ParameterizedTest(name = "w{0} forgets, logs of {1} bytes")
    @CsvSource({"1, 1000000", "2, 1000000", "1, 160", "2, 160", "1, 0", "2, 0"})
    void aStageThatLosesItsKvIsFilledAgain(int index, long logBytes) {
        RingSimulation ring = ring(logBytes);
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
        goOnUntil(ring, () -> sink.tokens.size() == 8);
        ring.worker("w" + index).restart();
        ring.worker("w" + index).core.accept(new Open(TICKET, index, Routes.sampling(SEED)), 1);
        ring.settle();
        assertThat(sink.tokens).isEqualTo(Routes.expected(PROMPT, SEED, MOST));
        assertThat(ring.worker("w" + index).stats().asked()).isEqualTo(1);
        boolean fromLog = ring.worker("w" + (index - 1)).stats().resentFrames() > 0;
        assertThat(fromLog).isEqualTo(logBytes > 160);
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void aGapThatIsNotFilledIsAskedForAgainButOnlyWithTime() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        RingSimulation.Worker tail = ring.worker("w2");
        tail.core.accept(new Open(TICKET, 2, Routes.sampling(SEED)), 1);
        for (int first = 5; first < 20; first++) {
            tail.core.accept(new Frames(List.of(frame(1, first))), 1);
        }
        ring.settle();
        assertThat(asks(ring)).isEqualTo(1);
        assertThat(tail.stats().waitedFrames()).isEqualTo(14);
        ring.pass(EngineLimits.DEFAULT.askAgainMillis() + 500);
        assertThat(asks(ring)).isEqualTo(2);
    }

    @Test
    void cancellingFreesTheKvInAllStages() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
        goOnUntil(ring, () -> sink.tokens.size() == 3);
        assertThat(ring.worker("w2").stage.usedCells()).isPositive();
        ring.worker("w0").core.cancel(TICKET.ticket().session(), 1);
        ring.settle();
        assertThat(sink.over()).isFalse();
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void aHeadWithoutRoomSaysSoWithNumbers() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        for (int i = 2; i < 4; i++) {
            SealedTicket other = Routes.ticket(i, 1, ROUTE, 120);
            ring.start(Routes.start(other, i, PROMPT, MOST, new RecordingSink()));
        }
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
        Problem problem = problem();
        assertThat(problem.kind()).isEqualTo(Problem.Kind.OVERLOADED);
        assertThat(problem.message()).contains("60 positions").contains("needs 120");
        assertThat(problem.retryAfterMillis()).isPositive();
        ring.settle();
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void aLaterStageWithoutRoomTellsTheHead() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.with(ROUTE.subList(2, 3), 100, 4);
        ring.start(
                Routes.start(Routes.ticket(7, 1, ROUTE, 60), 7, PROMPT, 20, new RecordingSink()));
        ring.start(Routes.start(Routes.ticket(8, 1, ROUTE, 60), SEED, PROMPT, 20, sink));
        ring.settle();
        assertThat(problem().kind()).isEqualTo(Problem.Kind.OVERLOADED);
        assertThat(sink.culprit).isEqualTo("w2");
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void aTicketThatNeverFitsIsRefusedForGood() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.start(Routes.start(Routes.ticket(1, 1, ROUTE, 301), SEED, PROMPT, MOST, sink));
        assertThat(problem().kind()).isEqualTo(Problem.Kind.CONTEXT_LENGTH_EXCEEDED);
    }

    @ParameterizedTest
    @CsvSource({"w1", "w2"})
    void aLostWorkerFailsTheGenerationAndFreesTheRest(String lost) {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
        goOnUntil(ring, () -> sink.tokens.size() == 3);
        ring.kill(lost);
        ring.settle();
        assertThat(problem().kind()).isEqualTo(Problem.Kind.WORKER_LOST);
        assertThat(sink.culprit).isEqualTo(lost);
        ring.workers.remove(lost);
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void aLostHeadFreesTheStagesBehindIt() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
        goOnUntil(ring, () -> sink.tokens.size() == 3);
        ring.kill("w0");
        ring.settle();
        assertThat(ring.worker("w2").stage.usedCells()).as("kept for a repair").isPositive();
        ring.pass(EngineLimits.ORPHAN_MILLIS + 500);
        ring.workers.remove("w0");
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void twoLostHeadsAreNotToldOfEachOtherWithoutEnd() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        List<RouteStage> crossed =
                List.of(
                        new RouteStage("w1", "host1:1", ROUTE.get(0).span()),
                        new RouteStage("w0", "host0:1", ROUTE.get(1).span()),
                        ROUTE.get(2));
        RingSimulation.Worker tail = ring.worker("w2");
        tail.core.accept(new Open(TICKET, 2, Routes.sampling(SEED)), 1);
        SealedTicket other = Routes.ticket(2, 1, crossed, 120);
        tail.core.accept(new Open(other, 2, Routes.sampling(SEED)), 1);
        ring.kill("w0");
        ring.kill("w1");
        ring.settle();
        ring.pass(EngineLimits.ORPHAN_MILLIS + 500);
        assertThat(tail.core.sessions()).isEmpty();
    }

    @Test
    void aRefusedBatchFailsItsSessionsAndNoOthers() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
        goOnUntil(ring, () -> sink.tokens.size() == 3);
        ring.worker("w1").stage.refuseNext("no slot");
        ring.settle();
        assertThat(problem().kind()).isEqualTo(Problem.Kind.INTERNAL);
        assertThat(problem().message()).contains("w1").contains("no slot");
        assertThat(sink.culprit).isEqualTo("w1");
        RecordingSink other = new RecordingSink();
        ring.start(Routes.start(Routes.ticket(2, 1, ROUTE, 120), SEED, PROMPT, MOST, other));
        ring.settle();
        assertThat(other.tokens).isEqualTo(Routes.expected(PROMPT, SEED, MOST));
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void aRingThatFallsSilentFailsTheGenerationAndNamesWhoIsToBlame() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
        goOnUntil(ring, () -> sink.tokens.size() == 3);
        ring.worker("w1").restart();
        ring.settle();
        assertThat(sink.over()).isFalse();
        ring.pass(EngineLimits.DEFAULT.stallMillis() + 500);
        assertThat(problem().kind()).isEqualTo(Problem.Kind.WORKER_LOST);
        assertThat(sink.culprit).isEqualTo("w1");
        ring.pass(EngineLimits.DEFAULT.idleMillis());
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void framesOfAnotherRouteOrOfNobodyAreDropped() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        RingSimulation.Worker tail = ring.worker("w2");
        tail.core.accept(new Frames(List.of(frame(1, 0))), 1);
        SealedTicket second = Routes.ticket(1, 2, ROUTE, 120);
        tail.core.accept(new Open(second, 2, Routes.sampling(SEED)), 1);
        tail.core.accept(new Frames(List.of(frame(1, 0))), 1);
        tail.core.accept(new Open(TICKET, 2, Routes.sampling(SEED)), 1);
        ring.settle();
        assertThat(tail.stats().droppedMessages()).isEqualTo(3);
        assertThat(tail.stage.usedCells()).isZero();
        tail.core.accept(new Frames(List.of(frame(2, 0))), 1);
        ring.settle();
        assertThat(tail.stage.usedCells()).isEqualTo(1);
    }

    @Test
    void aNewerRouteTakesASessionOverWhereItStands() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
        goOnUntil(ring, () -> sink.tokens.size() == 9);
        int[] committed = sink.tokens.stream().mapToInt(Integer::intValue).toArray();
        SealedTicket second = Routes.ticket(1, 2, ROUTE, 120);
        RecordingSink next = new RecordingSink();
        ring.start(Routes.start(second, SEED, PROMPT, committed, MOST, next));
        ring.settle();
        assertThat(problem().kind()).isEqualTo(Problem.Kind.CANCELLED);
        List<Integer> expected = Routes.expected(PROMPT, SEED, MOST);
        assertThat(next.tokens).isEqualTo(expected.subList(9, expected.size()));
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void aMalformedFrameFailsItsSessionWithASentence() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
        goOnUntil(ring, () -> sink.tokens.size() == 3);
        SessionId id = TICKET.ticket().session();
        ByteBuffer tooFew = ByteBuffer.allocate(3);
        Frame bad = new Frame(id, 1, 33, new int[] {1}, true, HiddenCodec.F32, tooFew);
        ring.worker("w1").core.accept(new Frames(List.of(bad)), 1);
        ring.settle();
        assertThat(problem().kind()).isEqualTo(Problem.Kind.PROTOCOL);
        assertThat(problem().message()).contains("3 bytes");
        assertThat(sink.culprit).isEqualTo("w0");
        GenerationRingTest.assertAllFree(ring);
    }

    @ParameterizedTest
    @EnumSource(HiddenCodec.class)
    void hiddenStatesThatAreNoNumbersFailTheirSessionOnly(HiddenCodec codec) {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
        RecordingSink other = new RecordingSink();
        ring.start(Routes.start(Routes.ticket(2, 1, ROUTE, 120), SEED, PROMPT, MOST, other));
        goOnUntil(ring, () -> sink.tokens.size() == 3);
        byte[] bytes = new byte[FakeStage.WIDTH * codec.bytesPerValue()];
        Arrays.fill(bytes, (byte) 0xff);
        SessionId id = TICKET.ticket().session();
        int[] token = {1};
        Frame bad = new Frame(id, 1, 33, token, true, codec, ByteBuffer.wrap(bytes));
        ring.worker("w1").core.accept(new Frames(List.of(bad)), 1);
        ring.settle();
        assertThat(problem().kind()).isEqualTo(Problem.Kind.PROTOCOL);
        assertThat(problem().message()).contains("no numbers");
        assertThat(other.tokens).isEqualTo(Routes.expected(PROMPT, SEED, MOST));
    }

    @Test
    void aTokenThatCannotBeChosenFailsItsSessionOnly() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.start(Routes.start(TICKET, FakeStage.SEED_WITHOUT_CHOICE, PROMPT, MOST, sink));
        RecordingSink other = new RecordingSink();
        ring.start(Routes.start(Routes.ticket(2, 1, ROUTE, 120), SEED, PROMPT, MOST, other));
        ring.settle();
        assertThat(problem().kind()).isEqualTo(Problem.Kind.INTERNAL);
        assertThat(problem().message()).contains("w2").contains("nothing to choose from");
        assertThat(other.tokens).isEqualTo(Routes.expected(PROMPT, SEED, MOST));
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void aDrainingStageEndsWhatItHasAndTakesNothingNew() {
        RingSimulation ring = ring(LogRoom.MEMORY_BYTES);
        ring.start(Routes.start(TICKET, SEED, PROMPT, MOST, sink));
        goOnUntil(ring, () -> sink.tokens.size() == 3);
        ring.worker("w1").core.drain();
        RecordingSink late = new RecordingSink();
        ring.start(Routes.start(Routes.ticket(2, 1, ROUTE, 120), SEED, PROMPT, MOST, late));
        ring.settle();
        assertThat(sink.tokens).isEqualTo(Routes.expected(PROMPT, SEED, MOST));
        assertThat(late.problem).isNotNull();
        assertThat(late.problem.message()).contains("w1 is leaving");
        GenerationRingTest.assertAllFree(ring);
    }

    private Problem problem() {
        assertThat(sink.problem).isNotNull();
        return sink.problem;
    }

    private static long asks(RingSimulation ring) {
        return ring.sent.stream().filter(NeedFrom.class::isInstance).count();
    }

    private static Frame frame(int epoch, int first) {
        SessionId id = TICKET.ticket().session();
        ByteBuffer hidden = ByteBuffer.allocate(FakeStage.WIDTH * Float.BYTES);
        return new Frame(id, epoch, first, new int[] {1}, true, HiddenCodec.F32, hidden);
    }
}
