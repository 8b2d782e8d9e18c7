package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.worker.engine.StageMessage.Frame;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A session in the middle of a route whose frames come, are taken back, and come otherwise. */
class StageSessionTest {
    private static final List<RouteStage> ROUTE = Routes.even(3);

    private final FakeStage stage = new FakeStage(ROUTE.get(1).span(), 100, 1);
    private final BoundaryLog log = new BoundaryLog(new LogBudget(LogRoom.inMemory(10_000)));
    private final StageSession session =
            new StageSession(
                    stage,
                    0,
                    log,
                    Routes.ticket(1, 1, ROUTE, 100),
                    1,
                    Routes.sampling(1),
                    Keep.NOTHING,
                    0);
    private final Rows rows = new Rows(Arena.ofAuto(), FakeStage.ROWS, FakeStage.WIDTH);

    /** A frame whose tokens are {@code salt} plus the position; so are its first values. */
    private static Frame frame(int first, int end, int salt, HiddenCodec codec) {
        int[] tokens = new int[end - first];
        int bytes = tokens.length * FakeStage.WIDTH * codec.bytesPerValue();
        ByteBuffer hidden = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = salt + first + i;
            for (int j = 0; j < FakeStage.WIDTH; j++) {
                float value = j == 0 ? tokens[i] : 0;
                switch (codec) {
                    case F32 -> hidden.putFloat(value);
                    case F16 -> hidden.putShort(Float.floatToFloat16(value));
                }
            }
        }
        return new Frame(
                Routes.ticket(1, 1, ROUTE, 100).ticket().session(),
                1,
                first,
                tokens,
                true,
                codec,
                hidden.flip());
    }

    private static Frame frame(int first, int end, int salt) {
        return frame(first, end, salt, HiddenCodec.F32);
    }

    private int[] compute(int most) throws StageException {
        rows.clear();
        Slice slice = session.fill(rows, FakeStage.WIDTH, most);
        for (int i = 0; i < rows.count(); i++) {
            float first = rows.hiddenOf(i).getAtIndex(ValueLayout.JAVA_FLOAT, 0);
            assertThat(first).isEqualTo((float) rows.token[i]);
        }
        stage.compute(rows);
        session.computed(slice);
        log.append(slice.frame(stage.hiddenStates(), FakeStage.WIDTH, 0));
        return Arrays.copyOf(rows.token, rows.count());
    }

    @Test
    void aFrameIsComputedInPartsAsTheBatchHasRoom() throws StageException {
        session.accept(frame(0, 5, 10), 0);
        assertThat(compute(2)).containsExactly(10, 11);
        assertThat(session.held()).isEqualTo(2);
        assertThat(session.waitingRows()).isEqualTo(3);
        assertThat(compute(9)).containsExactly(12, 13, 14);
        assertThat(session.waitingRows()).isZero();
    }

    @Test
    void halfFloatsAreReadToo() throws StageException {
        session.accept(frame(0, 3, 10, HiddenCodec.F16), 0);
        assertThat(compute(2)).containsExactly(10, 11);
        assertThat(compute(2)).containsExactly(12);
    }

    @Test
    void whatWaitsIsCutWhereANewFrameBegins() throws StageException {
        session.accept(frame(0, 2, 10), 0);
        compute(9);
        session.accept(frame(2, 6, 10), 0);
        session.accept(frame(6, 8, 10), 0);
        session.accept(frame(4, 7, 50), 0);
        assertThat(session.held()).isEqualTo(2);
        assertThat(session.end()).isEqualTo(7);
        assertThat(compute(9)).containsExactly(12, 13);
        assertThat(compute(9)).containsExactly(54, 55, 56);
    }

    @Test
    void aFrameOverWhatIsHeldTakesItBackInTheKvAndInTheLog() throws StageException {
        session.accept(frame(0, 6, 10), 0);
        compute(9);
        session.accept(frame(6, 8, 10), 0);
        session.accept(frame(3, 5, 50), 0);
        assertThat(stage.usedCells()).isEqualTo(3);
        assertThat(log.end()).isEqualTo(3);
        assertThat(session.end()).isEqualTo(5);
        assertThat(compute(9)).containsExactly(53, 54);
        assertThat(log.from(0, 1, 9, Long.MAX_VALUE))
                .extracting(Frame::endPosition)
                .containsExactly(5);
    }

    @Test
    void aFrameWithinOneThatIsPartlyComputedDropsTheRestOfIt() throws StageException {
        session.accept(frame(0, 6, 10), 0);
        compute(4);
        session.accept(frame(2, 3, 50), 0);
        assertThat(compute(9)).containsExactly(52);
        assertThat(session.held()).isEqualTo(3);
        assertThat(session.waitingRows()).isZero();
    }

    @Test
    void chunksStayApartSoThatTheyFollowEachOtherDownThePipe() throws StageException {
        session.accept(frame(0, 2, 10), 0);
        session.accept(frame(2, 4, 10), 0);
        assertThat(compute(9)).containsExactly(10, 11);
        assertThat(compute(9)).containsExactly(12, 13);
    }

    @Test
    void closingGivesEverythingBack() throws StageException {
        session.accept(frame(0, 6, 10), 0);
        compute(4);
        session.close();
        assertThat(stage.usedCells()).isZero();
        assertThat(session.waitingRows()).isZero();
        assertThat(log.bytes()).isZero();
    }
}
