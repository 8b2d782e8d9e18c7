package coop.sahkar.proto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class HiddenStatesTest {

    private static ByteBuffer values(int count, boolean direct) {
        ByteBuffer buffer =
                direct
                        ? ByteBuffer.allocateDirect(count * Float.BYTES)
                        : ByteBuffer.allocate(count * Float.BYTES);
        buffer.order(ByteOrder.LITTLE_ENDIAN);
        Random random = new Random(count);
        for (int i = 0; i < count; i++) {
            buffer.putFloat(i * Float.BYTES, (float) (random.nextGaussian() * 10));
        }
        return buffer;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 1023, 1024, 1025, 2048, 5000})
    void halfPrecisionRoundsEachValueToNearest(int count) {
        for (boolean direct : new boolean[] {true, false}) {
            ByteBuffer f32 = values(count, direct).order(ByteOrder.BIG_ENDIAN).asReadOnlyBuffer();
            ByteBuffer f16 = HiddenStates.encode(f32, HiddenCodec.F16);
            assertThat(f16.remaining()).isEqualTo(count * 2);
            ByteBuffer back = ByteBuffer.allocateDirect(count * Float.BYTES);
            HiddenStates.decode(f16, HiddenCodec.F16, back);
            assertThat(back.remaining()).isEqualTo(count * Float.BYTES);
            back.order(ByteOrder.LITTLE_ENDIAN);
            ByteBuffer in = f32.duplicate().order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < count; i++) {
                float value = in.getFloat(i * Float.BYTES);
                assertThat(back.getFloat(i * Float.BYTES))
                        .isEqualTo(Float.float16ToFloat(Float.floatToFloat16(value)));
            }
        }
    }

    @Test
    void singlePrecisionIsExact() {
        ByteBuffer f32 = values(100, false);
        ByteBuffer back = ByteBuffer.allocate(400).order(ByteOrder.LITTLE_ENDIAN);
        HiddenStates.decode(HiddenStates.encode(f32, HiddenCodec.F32), HiddenCodec.F32, back);
        assertThat(back).isEqualTo(f32);
    }

    @ParameterizedTest
    @EnumSource(HiddenCodec.class)
    void whatDoesNotFitIsRefused(HiddenCodec codec) {
        ByteBuffer source = ByteBuffer.allocate(codec.bytesPerValue() * 3);
        assertThatThrownBy(() -> HiddenStates.decode(source, codec, ByteBuffer.allocate(8)))
                .isInstanceOf(IllegalArgumentException.class);
        ByteBuffer odd = ByteBuffer.allocate(codec.bytesPerValue() + 1);
        assertThatThrownBy(() -> HiddenStates.decode(odd, codec, ByteBuffer.allocate(99)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void sizesAreBounded() {
        assertThat(HiddenStates.bytes(HiddenCodec.F16, 3, 2048)).isEqualTo(3 * 2048 * 2);
        assertThatThrownBy(() -> HiddenStates.bytes(HiddenCodec.F32, 512, 65_536))
                .hasMessageContaining("at most");
        assertThatThrownBy(() -> HiddenStates.bytes(HiddenCodec.F32, Integer.MAX_VALUE, 65_536))
                .hasMessageContaining("positions");
        assertThatThrownBy(() -> HiddenStates.bytes(HiddenCodec.F32, 1, Integer.MAX_VALUE))
                .hasMessageContaining("floats");
        assertThatThrownBy(() -> HiddenStates.bytes(HiddenCodec.F32, 0, 1))
                .hasMessageContaining("positions");
    }
}
