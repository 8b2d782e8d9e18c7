package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.engine.StageMessage.Frame;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class OutboxTest {
    private static final RouteStage NEXT = Routes.even(2).getLast();
    private static final float THIRD = 1f / 3;

    private static Outbox outbox(HiddenCodec codec) {
        return new Outbox(
                new Links() {
                    @Override
                    public void send(RouteStage to, StageMessage message) {}

                    @Override
                    public HiddenCodec codec(RouteStage to) {
                        assertThat(to).isEqualTo(NEXT);
                        return codec;
                    }
                });
    }

    private static Frame frame() {
        ByteBuffer hidden = ByteBuffer.allocate(2 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        hidden.putFloat(THIRD).putFloat(-2).flip();
        return new Frame(
                new SessionId(0, 1), 1, 5, new int[] {9, 8}, true, HiddenCodec.F32, hidden);
    }

    @Test
    void aFrameIsKeptInTheBitsThatTheNextStageSees() {
        Frame kept = outbox(HiddenCodec.F16).travelling(NEXT, frame());
        assertThat(kept.codec()).isEqualTo(HiddenCodec.F16);
        ByteBuffer bytes = kept.hidden().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        assertThat(bytes.getShort()).isEqualTo(Float.floatToFloat16(THIRD));
        assertThat(bytes.getShort()).isEqualTo(Float.floatToFloat16(-2));
        assertThat(bytes.hasRemaining()).isFalse();
        assertThat(kept.firstPosition()).isEqualTo(5);
        assertThat(kept.tokens()).containsExactly(9, 8);
        assertThat(kept.wantToken()).isTrue();
    }

    @Test
    void onAnExactLinkItStaysAsItIs() {
        Frame exact = frame();
        assertThat(outbox(HiddenCodec.F32).travelling(NEXT, exact)).isSameAs(exact);
    }
}
