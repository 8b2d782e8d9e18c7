package coop.sahkar.worker.gguf.synthetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.worker.gguf.Architecture;
import coop.sahkar.worker.gguf.GgufFile;
import coop.sahkar.worker.gguf.GgufTensor;
import coop.sahkar.worker.gguf.MetadataValue;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RandomModelTest {
    @TempDir Path folder;

    private Path write(RandomModel model, String name) throws IOException {
        Path path = folder.resolve(name);
        model.write(path, Progress.NONE);
        return path;
    }

    @Test
    void sameSeedSameBytesOtherSeedOthers() throws IOException {
        RandomModel model = RandomModel.small(Architecture.LLAMA, TensorType.Q4_0, 5);
        Path one = write(model, "one.gguf");
        assertThat(Files.mismatch(one, write(model, "two.gguf"))).isEqualTo(-1);
        RandomModel other = RandomModel.small(Architecture.LLAMA, TensorType.Q4_0, 6);
        assertThat(Files.mismatch(one, write(other, "three.gguf"))).isNotNegative();
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q6_K"})
    void weightsKeepTheSizeOfWhatGoesThroughThem(TensorType type) throws IOException {
        Path path = write(RandomModel.small(Architecture.LLAMA, type, 7).withBlocks(1), "m.gguf");
        try (GgufFile file = GgufFile.open(path)) {
            GgufTensor tensor = file.tensor("blk.0.ffn_down.weight").orElseThrow();
            assertThat(tensor.type()).isEqualTo(type);
            ByteBuffer data = file.data(tensor).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            float[] numbers = Dequantized.of(type, data, 4096);
            double sum = 0;
            double squares = 0;
            for (float number : numbers) {
                sum += number;
                squares += (double) number * number;
            }
            double expected = 1 / Math.sqrt(512);
            assertThat(Math.sqrt(squares / numbers.length))
                    .isBetween(0.8 * expected, 1.25 * expected);
            assertThat(Math.abs(sum / numbers.length)).isLessThan(0.2 * expected);
        }
    }

    @Test
    void vocabularyHasEveryByteAndNoTokenTwice() throws IOException {
        RandomModel model =
                RandomModel.small(Architecture.LLAMA, TensorType.Q4_0, 1)
                        .withBlocks(1)
                        .withVocabulary(20_000);
        try (GgufFile file = GgufFile.open(write(model, "m.gguf"))) {
            List<MetadataValue> tokens =
                    file.metadata().sequence("tokenizer.ggml.tokens").orElseThrow().items();
            Set<MetadataValue> distinct = new HashSet<>(tokens);
            assertThat(tokens).hasSize(20_000);
            assertThat(distinct).hasSize(20_000);
            assertThat(distinct)
                    .contains(
                            new MetadataValue.Text("<0x0A>"),
                            new MetadataValue.Text("<0xFF>"),
                            new MetadataValue.Text("a"),
                            new MetadataValue.Text("~"));
        }
    }

    @Test
    void presetsHaveTheShapesOfTheirNames() {
        RandomModel large = RandomModel.preset("1.1B", TensorType.Q4_0, 1);
        long weights =
                RandomArchitecture.tensors(large).stream()
                        .mapToLong(one -> one.shape().stream().reduce(1L, (a, b) -> a * b))
                        .sum();
        assertThat(weights).isBetween(1_050_000_000L, 1_150_000_000L);
        assertThat(large.kvHeads()).isEqualTo(4);
        assertThat(RandomModel.preset("160M", TensorType.Q4_0, 1).blocks()).isEqualTo(12);
        assertThatThrownBy(() -> RandomModel.preset("7B", TensorType.Q4_0, 1))
                .hasMessage("no shape is called 7B; there are [160M, 1.1B]");
    }

    @Test
    void rowsThatDoNotFitTakeAnotherType() throws IOException {
        RandomModel narrow =
                new RandomModel(
                        Architecture.LLAMA,
                        1,
                        96,
                        3,
                        3,
                        32,
                        256,
                        512,
                        64,
                        0,
                        0,
                        TensorType.Q4_K,
                        true,
                        1);
        try (GgufFile file = GgufFile.open(write(narrow, "narrow.gguf"))) {
            assertThat(file.tensor("blk.0.attn_q.weight").orElseThrow().type())
                    .isEqualTo(TensorType.Q8_0);
            assertThat(file.tensor("blk.0.ffn_down.weight").orElseThrow().type())
                    .isEqualTo(TensorType.Q4_K);
        }
    }

    @Test
    void impossibleShapesAreRefused() {
        RandomModel small = RandomModel.small(Architecture.LLAMA, TensorType.F16, 1);
        assertThatThrownBy(() -> small.withBlocks(0)).hasMessageContaining("not positive");
        assertThatThrownBy(() -> small.withVocabulary(9)).hasMessageContaining("at least 354");
        assertThatThrownBy(() -> small.withExperts(2, 3)).hasMessageContaining("experts");
        assertThatThrownBy(() -> RandomModel.small(Architecture.LLAMA, TensorType.IQ1_S, 1))
                .hasMessageContaining("not in IQ1_S");
    }
}
