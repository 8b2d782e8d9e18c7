package coop.sahkar.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import coop.sahkar.proto.LlamaRelease;
import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.gguf.Architecture;
import coop.sahkar.worker.gguf.GgufFile;
import coop.sahkar.worker.gguf.ManifestBuilder;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.ShardAssembler;
import coop.sahkar.worker.gguf.ShardPlan;
import coop.sahkar.worker.gguf.TensorSource;
import coop.sahkar.worker.gguf.TensorType;
import coop.sahkar.worker.gguf.synthetic.RandomModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The promise the whole of Sahkar rests on: a chain of stages that pass F32 hidden states gives the
 * same logits and embeddings as the unsharded model, to the last bit, in prefill and in decode.
 */
class ShardExactnessTest {
    private static final int CHUNK = 13;
    private static final int PREFILL = 3 * CHUNK - 5;
    private static final int DECODE = 8;
    private static final int SEQUENCES = 2;

    @TempDir private Path folder;

    static Stream<Arguments> models() {
        List<RandomModel> models = new ArrayList<>();
        long seed = 1;
        for (TensorType type :
                List.of(
                        TensorType.F16,
                        TensorType.Q8_0,
                        TensorType.Q4_0,
                        TensorType.Q4_K,
                        TensorType.Q6_K)) {
            for (Architecture architecture : Architecture.values()) {
                models.add(RandomModel.small(architecture, type, seed++));
            }
            models.add(RandomModel.small(Architecture.LLAMA, type, seed++).withExperts(4, 2));
            models.add(RandomModel.small(Architecture.LLAMA, type, seed++).withTied(true));
        }
        // Not a multiple of its grain: the last span is longer.
        models.add(RandomModel.small(Architecture.GEMMA3, TensorType.Q8_0, seed).withBlocks(14));
        return TestModels.libraries()
                .flatMap(library -> models.stream().map(model -> Arguments.of(library, model)));
    }

    @ParameterizedTest
    @MethodSource("models")
    void everyChainGivesTheLogitsOfTheWholeModel(LlamaLibrary library, RandomModel random)
            throws Exception {
        assumeThat(release(library).atLeast(random.architecture().oldestRelease()))
                .as("llama.cpp %s does not know %s", library.release(), random.architecture())
                .isTrue();
        Path path = folder.resolve("model.gguf");
        random.write(path, Progress.NONE);
        try (Arena arena = Arena.ofConfined();
                GgufFile file = GgufFile.open(path)) {
            ModelManifest manifest = ManifestBuilder.build(file, "random", 1, Progress.NONE);
            List<float[]> whole;
            try (Chain unsharded = Chain.of(arena, library, List.of(path), manifest)) {
                whole = unsharded.run(random.vocabulary(), false);
            }
            assertThat(whole).hasSize(2 * SEQUENCES * (PREFILL + DECODE) + DECODE);
            int grains = grains(manifest);
            for (int stages : new TreeSet<>(List.of(1, 2, Math.min(3, grains), grains))) {
                List<Path> shards = cut(file, manifest, stages);
                try (Chain chain = Chain.of(arena, library, shards, manifest)) {
                    assertSameBits(chain.run(random.vocabulary(), true), whole, stages);
                }
            }
        }
    }

    @Test
    void hiddenStatesThatAreNoNumbersAreRefused() throws Exception {
        Path path = folder.resolve("model.gguf");
        RandomModel.small(Architecture.LLAMA, TensorType.Q8_0, 1).write(path, Progress.NONE);
        try (Arena arena = Arena.ofConfined();
                GgufFile file = GgufFile.open(path)) {
            ModelManifest manifest = ManifestBuilder.build(file, "random", 1, Progress.NONE);
            List<Path> shards = cut(file, manifest, 2);
            try (Chain chain = Chain.of(arena, TestModels.bundled(), shards, manifest)) {
                LlamaStage head = chain.stages().getFirst();
                LlamaStage tail = chain.stages().getLast();
                Rows rows = chain.rows().getLast();
                rows.add(0, 0, 0, true);
                rows.add(0, 1, 0, true);
                for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
                    rows.hiddenOf(1).setAtIndex(ValueLayout.JAVA_FLOAT, 255, bad);
                    assertThatThrownBy(() -> tail.compute(rows))
                            .isInstanceOf(StageException.class)
                            .hasMessageContaining("row 1, sequence 0, position 1 is not a number");
                }
                rows.hiddenOf(1).fill((byte) 0);
                tail.compute(rows);
                assertThatThrownBy(tail::hiddenStates).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(head::hiddenStates).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> head.logits(0))
                        .isInstanceOf(IllegalArgumentException.class);
                Rows narrow = new Rows(arena, CHUNK, 128);
                narrow.add(0, 2, 0, true);
                assertThatThrownBy(() -> tail.compute(narrow))
                        .isInstanceOf(StageException.class)
                        .hasMessageContaining("rows of 256 floats");
            }
        }
    }

    private static LlamaRelease release(LlamaLibrary library) {
        return library.release().equals(LlamaRelease.B4916.title())
                ? LlamaRelease.B4916
                : LlamaRelease.V0_5;
    }

    private static void assertSameBits(List<float[]> chain, List<float[]> whole, int stages) {
        assertThat(chain).hasSameSizeAs(whole);
        for (int i = 0; i < whole.size(); i++) {
            assertThat(Arrays.equals(chain.get(i), whole.get(i)))
                    .as("logits %d of a chain of %d stages equal the whole model's", i, stages)
                    .isTrue();
        }
    }

    private static List<Span> spans(ModelManifest manifest, int stages) {
        int grain = manifest.grain();
        int grains = grains(manifest);
        List<Span> spans = new ArrayList<>();
        for (int stage = 0; stage < stages; stage++) {
            int first = stage * grains / stages * grain;
            boolean last = stage == stages - 1;
            int end = last ? manifest.blockCount() : (stage + 1) * grains / stages * grain;
            spans.add(new Span(first, end));
        }
        return spans;
    }

    /** How many spans the model may be cut into at most. */
    private static int grains(ModelManifest manifest) {
        return manifest.blockCount() / manifest.grain();
    }

    private List<Path> cut(GgufFile file, ModelManifest manifest, int stages) throws Exception {
        List<Path> shards = new ArrayList<>();
        for (Span span : spans(manifest, stages)) {
            Path shard = folder.resolve("shard-%d-%d.gguf".formatted(stages, span.first()));
            ShardPlan plan = ShardPlan.of(manifest, span, file.metadata());
            ShardAssembler.assemble(plan, TensorSource.of(file), shard, Progress.NONE);
            shards.add(shard);
        }
        return shards;
    }

    /** Stages in a row, in one process and on one thread. */
    private record Chain(List<LlamaModel> models, List<LlamaStage> stages, List<Rows> rows)
            implements AutoCloseable {
        static Chain of(Arena arena, LlamaLibrary library, List<Path> files, ModelManifest manifest)
                throws StageException {
            int count = files.size();
            List<LlamaModel> models = new ArrayList<>();
            List<LlamaStage> stages = new ArrayList<>();
            List<Span> spans = spans(manifest, count);
            List<Rows> rows = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                models.add(LlamaModel.load(library, files.get(i), 0));
                stages.add(
                        models.get(i)
                                .openStage(
                                        spans.get(i),
                                        manifest.blockCount(),
                                        TestModels.options(256, SEQUENCES, CHUNK)));
                rows.add(new Rows(arena, CHUNK, manifest.width()));
            }
            return new Chain(models, stages, rows);
        }

        /**
         * Two sequences in mixed batches: some chunks of prefill, then decodes of both, then of
         * one.
         *
         * @param ahead whether the last are begun before their input is there
         */
        List<float[]> run(int vocabulary, boolean ahead) throws StageException {
            List<float[]> logits = new ArrayList<>();
            int[] next = new int[SEQUENCES];
            for (int at = 0; at < SEQUENCES * PREFILL; ) {
                clear();
                for (int row = 0; row < CHUNK && at < SEQUENCES * PREFILL; row++, at++) {
                    add(at < PREFILL ? 0 : 1, next, vocabulary);
                }
                step(logits);
            }
            for (int i = 0; i < DECODE; i++) {
                clear();
                add(0, next, vocabulary);
                add(1, next, vocabulary);
                step(logits);
            }
            for (int i = 0; i < DECODE; i++) {
                logits.add(alone(next[0]++, vocabulary, ahead));
            }
            return logits;
        }

        /** One more token of the first sequence, which every stage may begin before it is there. */
        private float[] alone(int position, int vocabulary, boolean ahead) throws StageException {
            for (int i = 0; i < stages.size(); i++) {
                LlamaStage stage = stages.get(i);
                @Nullable LlamaStage before = i == 0 ? null : stages.get(i - 1);
                if (ahead) {
                    assertThat(stage.anticipates()).isTrue();
                    boolean[] made = new boolean[1];
                    assertThat(stage.anticipate(0, _ -> false, _ -> {})).isFalse();
                    assertThat(
                                    stage.anticipate(
                                            0,
                                            row -> fill(row, position, vocabulary, before),
                                            _ -> made[0] = true))
                            .isTrue();
                    assertThat(made[0]).isTrue();
                } else {
                    Rows row = rows.get(i);
                    row.clear();
                    row.add(0, position, 0, true);
                    fill(row, position, vocabulary, before);
                    stage.compute(row);
                }
            }
            return stages.getLast().logits(0).toArray(ValueLayout.JAVA_FLOAT);
        }

        private static boolean fill(
                Rows row, int position, int vocabulary, @Nullable LlamaStage before) {
            assertThat(row.position[0]).isEqualTo(position);
            row.token[0] = token(position, 0, vocabulary);
            if (before != null) {
                MemorySegment hidden = before.hiddenStates();
                MemorySegment.copy(hidden, 0, row.hidden, 0, hidden.byteSize());
            }
            return true;
        }

        private void clear() {
            for (Rows one : rows) {
                one.clear();
            }
        }

        private void add(int sequence, int[] next, int vocabulary) {
            int position = next[sequence]++;
            int token = token(position, sequence, vocabulary);
            for (Rows one : rows) {
                one.add(token, position, sequence, true);
                one.wantNormed();
            }
        }

        private static int token(int position, int sequence, int vocabulary) {
            return 3 + (position * 31 + sequence * 17) % (vocabulary - 3);
        }

        private void step(List<float[]> logits) throws StageException {
            for (int i = 0; i < stages.size(); i++) {
                if (i > 0) {
                    MemorySegment hidden = stages.get(i - 1).hiddenStates();
                    MemorySegment.copy(hidden, 0, rows.get(i).hidden, 0, hidden.byteSize());
                }
                stages.get(i).compute(rows.get(i));
            }
            for (int row = 0; row < rows.getFirst().count(); row++) {
                float[] one = stages.getLast().logits(row).toArray(ValueLayout.JAVA_FLOAT);
                assertThat(one).doesNotContain(Float.NaN);
                logits.add(one);
                logits.add(stages.getLast().normed(row).toArray(ValueLayout.JAVA_FLOAT));
            }
        }

        @Override
        public void close() {
            stages.forEach(LlamaStage::close);
            models.forEach(LlamaModel::close);
        }
    }
}
