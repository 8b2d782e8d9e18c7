package coop.sahkar.worker.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.worker.gguf.synthetic.RandomModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestCheckTest {
    @TempDir static Path folder;

    private static ModelManifest honest;

    @BeforeAll
    static void publish() throws Exception {
        honest = publish(RandomModel.small(Architecture.LLAMA, TensorType.Q4_K, 11));
    }

    private static ModelManifest publish(RandomModel model) throws Exception {
        Path path = folder.resolve("model.gguf");
        model.write(path, Progress.NONE);
        try (GgufFile file = GgufFile.open(path)) {
            AtomicLong last = new AtomicLong();
            Progress most = (done, total) -> last.accumulateAndGet(done, Math::max);
            ModelManifest manifest = ManifestBuilder.build(file, "random-1", 3, most);
            assertThat(last)
                    .hasValue(manifest.tensors().stream().mapToLong(TensorEntry::bytes).sum());
            return manifest;
        }
    }

    /** The manifest with its digest made right again, so that only the lie itself is found. */
    private static ModelManifest with(Metadata metadata, List<TensorEntry> tensors) {
        return new ModelManifest(
                honest.name(),
                ModelDigest.of(metadata, honest.keyValues(), tensors),
                honest.architecture(),
                honest.blockCount(),
                honest.width(),
                honest.vocabulary(),
                honest.contextLength(),
                honest.quantization(),
                honest.grain(),
                honest.ggufVersion(),
                metadata,
                honest.keyValues(),
                tensors,
                honest.fileBytes());
    }

    private static ModelManifest lying(String tensor, UnaryOperator<TensorEntry> lie) {
        List<TensorEntry> tensors = new ArrayList<>(honest.tensors());
        tensors.replaceAll(one -> one.name().equals(tensor) ? lie.apply(one) : one);
        return with(honest.metadata(), tensors);
    }

    private static TensorEntry at(TensorEntry one, long offset) {
        return new TensorEntry(
                one.name(), one.type(), one.shape(), offset, one.bytes(), one.sha256());
    }

    private static TensorEntry shaped(TensorEntry one, List<Long> shape, long bytes) {
        return new TensorEntry(one.name(), one.type(), shape, one.offset(), bytes, one.sha256());
    }

    private static TensorEntry named(TensorEntry one, String name) {
        return new TensorEntry(
                name, one.type(), one.shape(), one.offset(), one.bytes(), one.sha256());
    }

    @Test
    void honestManifestPasses() throws Exception {
        ManifestCheck.require(honest);
        assertThat(honest.id()).isEqualTo("random-1@" + honest.digest());
        assertThat(honest.quantization()).isEqualTo("Q4_K");
        assertThat(honest.vocabulary()).isEqualTo(512);
        assertThat(honest.digest()).matches("[0-9a-f]{64}");
    }

    @Test
    void sameFileSameDigestAndOtherSeedAnother() throws Exception {
        RandomModel model = RandomModel.small(Architecture.LLAMA, TensorType.Q4_K, 11);
        assertThat(publish(model)).isEqualTo(honest);
        RandomModel other = RandomModel.small(Architecture.LLAMA, TensorType.Q4_K, 12);
        assertThat(publish(other).digest()).isNotEqualTo(honest.digest());
    }

    @Test
    void rangesThatLieAreRefused() {
        String name = "blk.1.attn_q.weight";
        long size = honest.fileBytes();
        assertProblem(lying(name, one -> at(one, -32)), "lies outside the published file");
        assertProblem(lying(name, one -> at(one, size)), "lies outside the published file");
        assertProblem(lying(name, one -> at(one, Long.MAX_VALUE)), "lies outside");
        assertProblem(lying(name, one -> at(one, one.offset() - 32)), "overlap");
        assertProblem(lying(name, one -> shaped(one, one.shape(), 32)), "claims 32 bytes");
        List<Long> wide = List.of(1L << 40, 1L << 40);
        assertProblem(lying(name, one -> shaped(one, wide, one.bytes())), "impossible shape");
        assertProblem(lying(name, one -> shaped(one, List.of(), 0)), "1 to 4 dimensions");
        assertProblem(lying(name, one -> shaped(one, List.of(-256L), 0)), "impossible shape");
    }

    @Test
    void namesThatLieAreRefused() {
        String name = "blk.1.attn_q.weight";
        assertProblem(lying(name, one -> named(one, "blk.2.attn_q.weight")), "stands in it twice");
        assertProblem(lying(name, one -> named(one, "blk.6.attn_q.weight")), "has no place");
        assertProblem(lying(name, one -> named(one, "blk.01.attn_q.weight")), "has no place");
        assertProblem(lying(name, one -> named(one, "position_embd.weight")), "has no place");
        assertProblem(lying(name, one -> named(one, "x".repeat(64))), "longer than ggml takes");
        assertProblem(
                lying(name, one -> named(one, "blk.1.attn_other.weight")),
                "block 1 has no tensor attn_q.weight or attn_qkv.weight");
        assertProblem(
                lying("output_norm.weight", one -> named(one, "rope_freqs.weight")),
                "output_norm.weight is missing");
    }

    @Test
    void metadataThatLiesIsRefused() {
        assertProblem(
                with(metadata(keys -> keys.u32("llama.block_count", 2000)), honest.tensors()),
                "llama.block_count must be there and from 1 to 1024");
        assertProblem(
                with(metadata(keys -> keys.u32("llama.block_count", 7)), honest.tensors()),
                "block 6 has no tensor");
        assertProblem(
                with(metadata(keys -> keys.u32("llama.embedding_length", 512)), honest.tensors()),
                "no matrix 512 wide");
        assertProblem(
                with(
                        metadata(keys ->
                                keys.sequence(
                                        "tokenizer.ggml.tokens",
                                        ValueType.STRING,
                                        List.of(new MetadataValue.Text("a")))),
                        honest.tensors()),
                "its metadata holds keys of the tokenizer");
        assertProblem(
                with(metadata(keys -> keys.u32("split.count", 2)), honest.tensors()),
                "one part of a model in several files");
    }

    @Test
    void keyValuesThatAreNotTheModelsAreRefused() {
        assertKeyValuesRefused(
                metadata(keys -> keys.text("general.name", "another")), "is not that of the");
        assertKeyValuesRefused(
                metadata(keys -> keys.text("tokenizer.ggml.model", "gpt2")), "is not that of the");
        KeyValueSection two = new KeyValueSection(24, 100, "0".repeat(64), 2);
        assertProblem(
                new ModelManifest(
                        honest.name(),
                        ModelDigest.of(honest.metadata(), two, honest.tensors()),
                        honest.architecture(),
                        honest.blockCount(),
                        honest.width(),
                        honest.vocabulary(),
                        honest.contextLength(),
                        honest.quantization(),
                        honest.grain(),
                        honest.ggufVersion(),
                        honest.metadata(),
                        new KeyValueSection(24, honest.fileBytes(), two.sha256(), 2),
                        honest.tensors(),
                        honest.fileBytes()),
                "the key-value section lies outside");
    }

    private static void assertKeyValuesRefused(Metadata whole, String sentence) {
        assertThatThrownBy(() -> ManifestCheck.requireKeyValues(honest, whole))
                .isInstanceOf(GgufException.class)
                .hasMessageContaining(sentence);
    }

    private static Metadata metadata(UnaryOperator<MetadataBuilder> change) {
        return change.apply(new MetadataBuilder().copy(honest.metadata(), key -> true)).build();
    }

    @Test
    void fieldsThatLieAreRefused() {
        ModelManifest wrongDigest =
                new ModelManifest(
                        honest.name(),
                        "0".repeat(64),
                        honest.architecture(),
                        honest.blockCount(),
                        honest.width(),
                        honest.vocabulary(),
                        honest.contextLength(),
                        honest.quantization(),
                        honest.grain(),
                        honest.ggufVersion(),
                        honest.metadata(),
                        honest.keyValues(),
                        honest.tensors(),
                        honest.fileBytes());
        assertProblem(wrongDigest, "it says digest 0000");
        ModelManifest wrongName =
                new ModelManifest(
                        "../x",
                        honest.digest(),
                        honest.architecture(),
                        honest.blockCount(),
                        honest.width() * 2,
                        honest.vocabulary(),
                        honest.contextLength(),
                        honest.quantization(),
                        honest.grain(),
                        honest.ggufVersion(),
                        honest.metadata(),
                        honest.keyValues(),
                        honest.tensors(),
                        honest.fileBytes());
        assertProblem(wrongName, "the name must be");
    }

    private static void assertProblem(ModelManifest manifest, String sentence) {
        assertThatThrownBy(() -> ManifestCheck.require(manifest))
                .isInstanceOf(GgufException.class)
                .hasMessageContaining(sentence);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"mamba", "gemma2", "gpt2", "baichuan", "llama4", "t5", "never-heard-of"})
    void unservedArchitecturesAreRefusedByName(String architecture) {
        Metadata metadata =
                new MetadataBuilder().text("general.architecture", architecture).build();
        assertThatThrownBy(() -> ModelShape.of(metadata, "it.gguf"))
                .isInstanceOf(GgufException.class)
                .hasMessageContaining(
                        "it.gguf cannot be served: models of the architecture %s are not served: "
                                .formatted(architecture));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    void onlyEmbeddingsOfTheLastTokenAreServed(int pooling) throws Exception {
        Metadata metadata =
                new MetadataBuilder()
                        .text("general.architecture", "qwen2")
                        .u32("qwen2.block_count", 2)
                        .u32("qwen2.embedding_length", 64)
                        .u32("qwen2.context_length", 64)
                        .u32("qwen2.attention.head_count", 4)
                        .u32("qwen2.pooling_type", pooling)
                        .build();
        if (pooling == 0 || pooling == 3) {
            assertThat(ModelShape.of(metadata, "it.gguf").blockCount()).isEqualTo(2);
        } else {
            assertThatThrownBy(() -> ModelShape.of(metadata, "it.gguf"))
                    .hasMessageContaining("qwen2.pooling_type is " + pooling);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Sahkar Tiny (F16).gguf", "sahkar-tiny-f16.GGUF"})
    void namesAreMadeOfFileNames(String file) {
        assertThat(ManifestBuilder.nameOf(Path.of("/models", file))).isEqualTo("sahkar-tiny-f16");
    }
}
