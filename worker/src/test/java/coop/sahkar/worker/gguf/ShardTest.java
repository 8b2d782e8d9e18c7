package coop.sahkar.worker.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.gguf.synthetic.RandomModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ShardTest {
    @TempDir Path folder;

    private GgufFile model(RandomModel model) throws IOException {
        Path path = folder.resolve("model.gguf");
        model.write(path, Progress.NONE);
        return GgufFile.open(path);
    }

    private GgufFile shard(GgufFile file, ModelManifest manifest, Span span) throws IOException {
        Path path = folder.resolve("shard-" + span.first() + ".gguf");
        ShardPlan plan = ShardPlan.of(manifest, span, file.metadata());
        ShardAssembler.assemble(plan, TensorSource.of(file), path, Progress.NONE);
        GgufFile shard = GgufFile.open(path);
        assertThat(shard.fileBytes()).isEqualTo(plan.fileBytes());
        return shard;
    }

    private static ModelManifest manifest(GgufFile file) throws Exception {
        return ManifestBuilder.build(file, "random", 2, Progress.NONE);
    }

    private static void assertSameData(
            GgufFile shard, String name, GgufFile model, String originalName) {
        GgufTensor copy = shard.tensor(name).orElseThrow();
        GgufTensor original = model.tensor(originalName).orElseThrow();
        assertThat(copy.shape()).isEqualTo(original.shape());
        assertThat(copy.type()).isEqualTo(original.type());
        assertThat(shard.data(copy).mismatch(model.data(original))).isEqualTo(-1);
    }

    private static List<String> names(GgufFile file) {
        return file.tensors().stream().map(GgufTensor::name).toList();
    }

    @Test
    void headHasTheEmbeddingAndNoOutput() throws Exception {
        RandomModel random = RandomModel.small(Architecture.LLAMA, TensorType.Q8_0, 1);
        try (GgufFile file = model(random);
                GgufFile head = shard(file, manifest(file), new Span(0, 2))) {
            assertSameData(head, "token_embd.weight", file, "token_embd.weight");
            assertSameData(head, "output_norm.weight", file, "output_norm.weight");
            assertSameData(head, "blk.1.ffn_down.weight", file, "blk.1.ffn_down.weight");
            assertThat(names(head)).doesNotContain("output.weight", "blk.2.attn_q.weight");
            assertThat(head.metadata().whole("llama.block_count")).hasValue(2);
            assertThat(head.metadata().sequenceLength("tokenizer.ggml.tokens")).isEqualTo(512);
        }
    }

    @Test
    void middleIsRenumberedAndKnowsNoTokens() throws Exception {
        RandomModel random = RandomModel.small(Architecture.LLAMA, TensorType.Q4_K, 2);
        try (GgufFile file = model(random);
                GgufFile middle = shard(file, manifest(file), new Span(2, 5))) {
            assertSameData(middle, "blk.0.attn_q.weight", file, "blk.2.attn_q.weight");
            assertSameData(middle, "blk.2.attn_norm.weight", file, "blk.4.attn_norm.weight");
            GgufTensor embedding = middle.tensor("token_embd.weight").orElseThrow();
            assertThat(embedding.shape()).containsExactly(256L, 32L);
            assertThat(middle.data(embedding).asByteBuffer().getInt(256)).isZero();
            assertThat(middle.metadata().text("tokenizer.ggml.model")).contains("no_vocab");
            assertThat(middle.metadata().whole("llama.vocab_size")).hasValue(32);
            assertThat(middle.metadata().keys()).doesNotContain("tokenizer.ggml.tokens");
            assertThat(middle.metadata().whole("sahkar.span.first")).hasValue(2);
        }
    }

    @Test
    void tailKeepsTheOutputMatrixUnderTheEmbeddingsName() throws Exception {
        RandomModel random = RandomModel.small(Architecture.LLAMA, TensorType.F16, 3);
        try (GgufFile file = model(random);
                GgufFile tail = shard(file, manifest(file), new Span(4, 6))) {
            assertSameData(tail, "token_embd.weight", file, "output.weight");
            assertThat(names(tail)).doesNotContain("output.weight");
        }
    }

    @Test
    void tailOfTiedModelKeepsTheEmbedding() throws Exception {
        RandomModel random =
                RandomModel.small(Architecture.QWEN2, TensorType.Q8_0, 4).withTied(true);
        try (GgufFile file = model(random);
                GgufFile tail = shard(file, manifest(file), new Span(4, 6))) {
            assertThat(names(file)).doesNotContain("output.weight");
            assertSameData(tail, "token_embd.weight", file, "token_embd.weight");
        }
    }

    @Test
    void wholeHasEveryTensorOnce() throws Exception {
        RandomModel random = RandomModel.small(Architecture.LLAMA, TensorType.Q4_0, 5);
        try (GgufFile file = model(random);
                GgufFile whole = shard(file, manifest(file), new Span(0, 6))) {
            assertThat(names(whole)).containsExactlyInAnyOrderElementsOf(names(file));
            for (String name : names(file)) {
                assertSameData(whole, name, file, name);
            }
        }
    }

    @Test
    void ownOutputIsZeroWhereItIsNotComputed() throws Exception {
        RandomModel random = RandomModel.small(Architecture.QWEN2MOE, TensorType.F16, 6);
        try (GgufFile file = model(random);
                GgufFile head = shard(file, manifest(file), new Span(0, 3));
                GgufFile tail = shard(file, manifest(file), new Span(3, 6))) {
            assertThat(head.tensor("output.weight").orElseThrow().shape())
                    .containsExactly(256L, 512L);
            assertSameData(head, "token_embd.weight", file, "token_embd.weight");
            assertSameData(tail, "output.weight", file, "output.weight");
            assertThat(tail.tensor("token_embd.weight").orElseThrow().type())
                    .isEqualTo(TensorType.Q4_0);
        }
    }

    @Test
    void gemma3IsCutAtItsWindowPatternOnly() throws Exception {
        RandomModel random =
                RandomModel.small(Architecture.GEMMA3, TensorType.Q8_0, 7).withBlocks(14);
        try (GgufFile file = model(random)) {
            ModelManifest manifest = manifest(file);
            assertThat(ShardPlan.of(manifest, new Span(6, 14), file.metadata()).span().length())
                    .isEqualTo(8);
            for (Span wrong :
                    List.of(new Span(0, 5), new Span(12, 14), new Span(6, 12), new Span(6, 20))) {
                assertThatThrownBy(() -> ShardPlan.of(manifest, wrong, file.metadata()))
                        .isInstanceOf(GgufException.class)
                        .hasMessageContaining("multiples of 6");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyArchitectureIsGeneratedPublishedAndCut(Architecture architecture) throws Exception {
        try (GgufFile file = model(RandomModel.small(architecture, TensorType.Q8_0, 8))) {
            ModelManifest manifest = manifest(file);
            ModelSizes sizes = ModelSizes.of(manifest);
            int middle = manifest.blockCount() / 2;
            int end = manifest.blockCount();
            for (Span span :
                    List.of(new Span(0, middle), new Span(middle, end), new Span(0, end))) {
                ShardPlan plan = ShardPlan.of(manifest, span, file.metadata());
                assertThat(plan.needed().stream().mapToLong(TensorEntry::bytes).sum())
                        .isEqualTo(sizes.shardBytes(span));
                try (GgufFile shard = shard(file, manifest, span)) {
                    assertThat(shard.tensors()).hasSameSizeAs(plan.pieces());
                }
            }
        }
    }

    @Test
    void damagedTensorIsRefusedAndLeavesNoFile() throws Exception {
        try (GgufFile file = model(RandomModel.small(Architecture.LLAMA, TensorType.F16, 9))) {
            ShardPlan plan = ShardPlan.of(manifest(file), new Span(0, 1), file.metadata());
            TensorSource honest = TensorSource.of(file);
            TensorSource damaging =
                    (tensor, offset, destination) -> {
                        honest.read(tensor, offset, destination);
                        if (tensor.name().equals("blk.0.ffn_up.weight")) {
                            destination.put(7, (byte) (destination.get(7) ^ 1));
                        }
                    };
            Path target = folder.resolve("damaged.gguf");
            assertThatThrownBy(() -> ShardAssembler.assemble(plan, damaging, target, Progress.NONE))
                    .isInstanceOf(GgufException.class)
                    .hasMessageContaining("blk.0.ffn_up.weight")
                    .hasMessageContaining("arrived damaged");
            try (var left = Files.list(folder)) {
                assertThat(left.map(path -> path.getFileName().toString()))
                        .containsExactly("model.gguf");
            }
        }
    }
}
