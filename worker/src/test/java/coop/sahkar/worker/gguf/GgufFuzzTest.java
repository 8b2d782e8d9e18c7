package coop.sahkar.worker.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.worker.gguf.synthetic.RandomModel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damages small files in thousands of ways; whatever comes out is a sentence or a sound file. */
class GgufFuzzTest {
    private static final int ROUNDS = 8000;
    private static final long[] NASTY = {
        0, 1, -1, 31, 33, 255, 1L << 31, 1L << 32, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE
    };

    @TempDir Path folder;

    @Test
    void mutatedFilesAreReadOrRefused() throws IOException {
        List<byte[]> seeds = List.of(handMade(), generated(Architecture.LLAMA));
        Random random = new Random(20_261_122);
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] mutated = mutate(seeds.get(round % seeds.size()).clone(), random);
            try {
                GgufHeader header = GgufReader.read(MemorySegment.ofArray(mutated), "fuzz");
                header.metadata().keys().forEach(key -> header.metadata().value(key));
                header.tensors().forEach(tensor -> assertInside(tensor, mutated.length));
            } catch (GgufException e) {
                assertThat(e).hasMessageStartingWith("fuzz is not a usable GGUF file: ");
                refused++;
            }
        }
        assertThat(refused).isBetween(ROUNDS / 4, ROUNDS - 1);
    }

    private static void assertInside(GgufTensor tensor, long fileBytes) {
        assertThat(tensor.offset()).isNotNegative();
        assertThat(tensor.bytes()).isPositive();
        assertThat(tensor.offset() + tensor.bytes()).isBetween(0L, fileBytes);
    }

    private static byte[] handMade() {
        return GgufBytes.header(3, 2, 4)
                .text("general.architecture")
                .u32(8)
                .text("llama")
                .text("general.alignment")
                .u32(4)
                .u32(32)
                .text("list")
                .u32(9)
                .u32(8)
                .u64(3)
                .text("a")
                .text("ü")
                .text("")
                .text("nested")
                .u32(9)
                .u32(9)
                .u64(1)
                .u32(4)
                .u64(2)
                .u32(1)
                .u32(2)
                .tensor("token_embd.weight", 0, 0, 4, 4)
                .tensor("blk.0.attn_q.weight", 2, 64, 32, 2)
                .data(128)
                .done();
    }

    private byte[] generated(Architecture architecture) throws IOException {
        Path path = folder.resolve("seed.gguf");
        RandomModel.small(architecture, TensorType.Q4_0, 1)
                .withBlocks(1)
                .write(path, Progress.NONE);
        return Files.readAllBytes(path);
    }

    private static byte[] mutate(byte[] bytes, Random random) {
        int header = Math.min(bytes.length, 20_000);
        for (int i = random.nextInt(3); i >= 0; i--) {
            switch (random.nextInt(4)) {
                case 0 -> bytes[random.nextInt(header)] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[random.nextInt(header)] = (byte) random.nextInt();
                case 2 -> {
                    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
                    int at = random.nextInt(header - Long.BYTES);
                    buffer.putLong(at, NASTY[random.nextInt(NASTY.length)]);
                }
                default -> {
                    return Arrays.copyOf(bytes, random.nextInt(bytes.length));
                }
            }
        }
        return bytes;
    }
}
