package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.engine.StageMessage.Frame;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BoundaryLogTest {
    private static final SessionId SESSION = new SessionId(0, 1);
    static final int ROW_BYTES = 8;

    private static final long ALL = Long.MAX_VALUE;

    private final BoundaryLog log = log(1000);

    private static BoundaryLog log(long bytes) {
        return new BoundaryLog(new LogBudget(LogRoom.inMemory(bytes)));
    }

    /** A frame whose tokens and hidden states are its positions. */
    static Frame frame(int first, int end, boolean want) {
        int[] tokens = new int[end - first];
        ByteBuffer hidden =
                ByteBuffer.allocate(tokens.length * ROW_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = first + i;
            hidden.putFloat(first + i).putFloat(-first - i);
        }
        ByteBuffer bytes = hidden.flip().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
        return new Frame(SESSION, 1, first, tokens, want, HiddenCodec.F32, bytes);
    }

    private void append(int... cuts) {
        for (int i = 0; i + 1 < cuts.length; i++) {
            log.append(frame(cuts[i], cuts[i + 1], true));
        }
    }

    static List<String> spans(List<Frame> frames) {
        return frames.stream().map(f -> f.firstPosition() + "-" + f.endPosition()).toList();
    }

    static void assertTrue(List<Frame> frames) {
        for (Frame frame : frames) {
            ByteBuffer hidden = frame.hidden().duplicate().order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < frame.tokens().length; i++) {
                float position = frame.firstPosition() + i;
                assertThat((float) frame.tokens()[i]).isEqualTo(position);
                assertThat(hidden.getFloat()).isEqualTo(position);
                assertThat(hidden.getFloat()).isEqualTo(-position);
            }
            assertThat(hidden.hasRemaining()).isFalse();
        }
    }

    @Test
    void decodeFramesAreJoinedIntoChunks() {
        append(0, 5, 6, 7, 8, 9, 10);
        List<Frame> again = log.from(3, 7, 4, ALL);
        assertThat(spans(again)).containsExactly("3-7", "7-10");
        assertThat(again).extracting(Frame::wantToken).containsExactly(false, true);
        assertThat(again).extracting(Frame::epoch).containsOnly(7);
        assertTrue(again);
    }

    @Test
    void theLastFrameWantsATokenOnlyIfItDidBefore() {
        append(0, 4);
        log.append(frame(4, 8, false));
        assertThat(log.from(0, 1, 4, ALL))
                .extracting(Frame::wantToken)
                .containsExactly(false, false);
        assertThat(log.from(0, 1, 16, ALL)).extracting(Frame::wantToken).containsExactly(false);
    }

    @Test
    void nothingIsSentAgainFromTheEnd() {
        append(0, 4);
        assertThat(log.from(4, 1, 16, ALL)).isEmpty();
    }

    @Test
    void aRewindForgetsWhatComesAfterAndCutsTheFrameAcross() {
        append(0, 6, 12);
        log.append(frame(8, 10, true));
        assertThat(log.end()).isEqualTo(10);
        List<Frame> again = log.from(0, 1, 100, ALL);
        assertThat(spans(again)).containsExactly("0-10");
        assertTrue(again);
        assertThat(log.bytes()).isEqualTo(10L * ROW_BYTES);
        log.truncate(0);
        assertThat(log.bytes()).isZero();
        assertThat(log.end()).isZero();
    }

    @Test
    void theOldestPositionsGoFirst() {
        BoundaryLog small = log(5 * ROW_BYTES);
        List<Integer> starts = new ArrayList<>();
        for (int position = 0; position < 9; position++) {
            small.append(frame(position, position + 1, true));
            starts.add(small.start());
        }
        assertThat(starts).containsExactly(0, 0, 0, 0, 0, 1, 2, 3, 4);
        assertThat(small.bytes()).isEqualTo(5L * ROW_BYTES);
    }

    @Test
    void aFrameLargerThanTheLogLeavesItEmptyButInPlace() {
        BoundaryLog small = log(5 * ROW_BYTES);
        small.append(frame(0, 7, true));
        assertThat(small.start()).isEqualTo(7);
        assertThat(small.end()).isEqualTo(7);
        small.append(frame(7, 8, true));
        assertThat(small.start()).isEqualTo(7);
        assertThat(small.end()).isEqualTo(8);
    }

    @Test
    void aPositionThatIsKeptNoMoreIsNotSent() {
        BoundaryLog small = log(5 * ROW_BYTES);
        small.append(frame(0, 4, true));
        small.append(frame(4, 8, true));
        assertThat(small.from(3, 1, 16, ALL)).isEmpty();
        assertThat(spans(small.from(4, 1, 16, ALL))).containsExactly("4-8");
    }

    @Test
    void manyPositionsAreSentInPortionsAndOnlyTheLastWantsAToken() {
        append(0, 5, 6, 7, 8, 9, 10);
        List<Frame> again = log.from(0, 1, 2, 6 * ROW_BYTES);
        assertThat(spans(again)).containsExactly("0-2", "2-4", "4-6");
        assertThat(again).extracting(Frame::wantToken).containsOnly(false);
        List<Frame> rest = log.from(6, 1, 3, 6 * ROW_BYTES);
        assertThat(spans(rest)).containsExactly("6-9", "9-10");
        assertThat(rest).extracting(Frame::wantToken).containsExactly(false, true);
    }

    @Test
    void rowsOfTwoCodecsAreNotJoined() {
        append(0, 2);
        ByteBuffer halves = ByteBuffer.allocate(2 * ROW_BYTES / 2).order(ByteOrder.LITTLE_ENDIAN);
        log.append(new Frame(SESSION, 1, 2, new int[] {2, 3}, true, HiddenCodec.F16, halves));
        List<Frame> again = log.from(0, 1, 16, ALL);
        assertThat(spans(again)).containsExactly("0-2", "2-4");
        assertThat(again)
                .extracting(Frame::codec)
                .containsExactly(HiddenCodec.F32, HiddenCodec.F16);
    }

    @Test
    void theFullestLogGivesWhenTheStageRunsOut() {
        LogBudget tight = new LogBudget(LogRoom.inMemory(10 * ROW_BYTES));
        BoundaryLog large = new BoundaryLog(tight);
        BoundaryLog small = new BoundaryLog(tight);
        large.append(frame(0, 3, true));
        large.append(frame(3, 8, true));
        small.append(frame(0, 4, true));
        assertThat(large.start()).isEqualTo(3);
        assertThat(small.start()).isZero();
        large.close();
        assertThat(tight.bytes()).isEqualTo(4L * ROW_BYTES);
        small.close();
        assertThat(tight.bytes()).isZero();
    }

    @Test
    void logsOfSessionsThatRestGiveFirst() {
        LogBudget tight = new LogBudget(LogRoom.inMemory(10 * ROW_BYTES));
        BoundaryLog running = new BoundaryLog(tight);
        BoundaryLog resting = new BoundaryLog(tight);
        running.append(frame(0, 3, true));
        running.append(frame(3, 6, true));
        resting.append(frame(0, 2, true));
        resting.append(frame(2, 4, true));
        resting.rest(true);
        running.append(frame(6, 10, true));
        assertThat(running.start()).isZero();
        assertThat(resting.start()).isEqualTo(resting.end());
        running.append(frame(10, 12, true));
        assertThat(running.start()).as("nothing rests that could give").isEqualTo(3);
    }

    @Test
    void theStagesOfAWorkerShareItsRoom() {
        LogRoom room = LogRoom.inMemory(10 * ROW_BYTES);
        BoundaryLog first = new BoundaryLog(new LogBudget(room));
        append(first, 0, 8);
        assertThat(first.start()).isZero();
        BoundaryLog second = new BoundaryLog(new LogBudget(room));
        append(second, 0, 8);
        assertThat(second.start()).as("what the first has left").isEqualTo(6);
        append(first, 8, 9);
        assertThat(first.start()).as("its half from now on").isEqualTo(4);
        append(second, 8, 14);
        assertThat(second.start()).isEqualTo(9);
        assertThat(room.usedBytes()).isEqualTo(10L * ROW_BYTES);
        first.close();
        append(second, 14, 19);
        assertThat(second.start()).as("all of it").isEqualTo(9);
        second.close();
        assertThat(room.usedBytes()).isZero();
    }

    private static void append(BoundaryLog log, int from, int to) {
        for (int position = from; position < to; position++) {
            log.append(frame(position, position + 1, true));
        }
    }
}
