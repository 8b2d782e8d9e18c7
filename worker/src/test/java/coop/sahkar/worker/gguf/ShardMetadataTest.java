package coop.sahkar.worker.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.proto.LlamaRelease;
import coop.sahkar.proto.Span;
import coop.sahkar.worker.gguf.synthetic.RandomModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardMetadataTest {
    @TempDir Path folder;

    private Metadata published = new MetadataBuilder().build();

    /** A published random model whose metadata or tensors differ from the usual. */
    private ModelManifest publish(
            RandomModel model,
            UnaryOperator<MetadataBuilder> change,
            Map<String, GgufLayout.Slot> more)
            throws IOException, InterruptedException {
        Path plain = folder.resolve("plain.gguf");
        Path changed = folder.resolve("changed.gguf");
        model.write(plain, Progress.NONE);
        try (GgufFile file = GgufFile.open(plain)) {
            MetadataBuilder keys = new MetadataBuilder().copy(file.metadata(), key -> true);
            List<GgufLayout.Slot> slots = new ArrayList<>();
            for (GgufTensor tensor : file.tensors()) {
                slots.add(new GgufLayout.Slot(tensor.name(), tensor.type(), tensor.shape()));
            }
            slots.addAll(more.values());
            GgufLayout layout = GgufLayout.of(change.apply(keys).build(), slots);
            GgufWriter.write(layout, (index, offset, destination) -> false, changed, Progress.NONE);
        }
        try (GgufFile file = GgufFile.open(changed)) {
            published = file.metadata();
            return ManifestBuilder.build(file, "changed", 1, Progress.NONE);
        }
    }

    private static List<MetadataValue> wholes(long... values) {
        List<MetadataValue> wholes = new ArrayList<>();
        for (long value : values) {
            wholes.add(new MetadataValue.Whole(ValueType.U32, value));
        }
        return wholes;
    }

    @Test
    void arraysWithAnEntryForEachBlockAreSliced() throws Exception {
        RandomModel model = RandomModel.small(Architecture.LLAMA, TensorType.F16, 1);
        ModelManifest manifest =
                publish(
                        model,
                        keys ->
                                keys.sequence(
                                                "llama.attention.head_count_kv",
                                                ValueType.U32,
                                                wholes(2, 4, 2, 8, 2, 1))
                                        .sequence(
                                                "llama.rope.dimension_sections",
                                                ValueType.U32,
                                                wholes(1, 2, 3, 4, 5, 6)),
                        Map.of());
        Metadata shard = ShardPlan.of(manifest, new Span(1, 4), published).metadata();
        assertThat(shard.sequence("llama.attention.head_count_kv").orElseThrow().items())
                .isEqualTo(wholes(4, 2, 8));
        assertThat(shard.sequenceLength("llama.rope.dimension_sections")).isEqualTo(6);
        ModelSizes sizes = ModelSizes.of(manifest);
        long perHead = 4L * model.headLength();
        assertThat(sizes.kvBytesPerPosition())
                .containsExactly(
                        2 * perHead, 4 * perHead, 2 * perHead, 8 * perHead, 2 * perHead, perHead);
        assertThat(sizes.kvBytesPerPosition(new Span(1, 4))).isEqualTo(14 * perHead);
    }

    @Test
    void ropeFactorsGoIntoEveryShard() throws Exception {
        ModelManifest manifest =
                publish(
                        RandomModel.small(Architecture.LLAMA, TensorType.F16, 1),
                        keys -> keys,
                        Map.of(
                                "rope",
                                new GgufLayout.Slot(
                                        "rope_freqs.weight", TensorType.F32, List.of(16L))));
        for (int block = 0; block < manifest.blockCount(); block++) {
            assertThat(ShardPlan.of(manifest, new Span(block, block + 1), published).pieces())
                    .extracting(ShardPiece::name)
                    .containsOnlyOnce("rope_freqs.weight", "output_norm.weight");
        }
    }

    @Test
    void windowOfOldPhi3FilesIsWrittenOut() {
        Metadata mini =
                new MetadataBuilder()
                        .u32("phi3.context_length", 4096)
                        .u32("phi3.attention.head_count_kv", 32)
                        .build();
        assertThat(ShardMetadata.phi3Window(mini, 32)).isEqualTo(OptionalLong.of(2047));
        assertThat(ShardMetadata.phi3Window(mini, 24)).isEmpty();
        Metadata said =
                new MetadataBuilder()
                        .copy(mini, key -> true)
                        .u32("phi3.attention.sliding_window", 100)
                        .build();
        assertThat(ShardMetadata.phi3Window(said, 32)).isEqualTo(OptionalLong.of(100));
    }

    @Test
    void headCountsThatAreNotOnePerBlockAreRefused() {
        for (MetadataValue wrong :
                List.of(
                        new MetadataValue.Sequence(ValueType.U32, wholes(2, 2, 2)),
                        new MetadataValue.Sequence(
                                ValueType.ARRAY,
                                List.of(new MetadataValue.Sequence(ValueType.U32, wholes(2)))),
                        new MetadataValue.Text("2"),
                        new MetadataValue.Whole(ValueType.I32, -2))) {
            assertThatThrownBy(() ->
                            publish(
                                    RandomModel.small(Architecture.LLAMA, TensorType.F16, 1),
                                    keys -> keys.put("llama.attention.head_count_kv", wrong),
                                    Map.of()))
                    .isInstanceOf(GgufException.class)
                    .hasMessageContaining(
                            "llama.attention.head_count_kv is missing, absurd or not given");
        }
    }

    @Test
    void newTypesAndArchitecturesNeedANewLibrary() throws Exception {
        RandomModel old = RandomModel.small(Architecture.LLAMA, TensorType.F16, 1);
        assertThat(publish(old, keys -> keys, Map.of()).oldestRelease())
                .isEqualTo(LlamaRelease.B4916);
        RandomModel recent = RandomModel.small(Architecture.QWEN3, TensorType.F16, 1);
        assertThat(publish(recent, keys -> keys, Map.of()).oldestRelease())
                .isEqualTo(LlamaRelease.V0_5);
        GgufLayout.Slot slot =
                new GgufLayout.Slot("blk.0.attn_gate.weight", TensorType.MXFP4, List.of(32L));
        assertThat(publish(old, keys -> keys, Map.of("a", slot)).oldestRelease())
                .isEqualTo(LlamaRelease.V0_5);
    }

    @Test
    void partsOfAnotherFileAreForgotten() throws Exception {
        ModelManifest manifest =
                publish(
                        RandomModel.small(Architecture.LLAMA, TensorType.F16, 1),
                        keys -> keys.u32("split.count", 1).u32("split.no", 0),
                        Map.of());
        assertThat(ShardPlan.of(manifest, new Span(0, 6), published).metadata().keys())
                .doesNotContain("split.count", "split.no")
                .contains("tokenizer.ggml.tokens");
    }
}
