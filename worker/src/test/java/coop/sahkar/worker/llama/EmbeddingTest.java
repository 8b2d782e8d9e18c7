package coop.sahkar.worker.llama;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.StageShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What a tail tells of the output norm is what llama.cpp itself gives as an embedding. */
class EmbeddingTest {
    private static final int[] PROMPT = {7, 300, 12, 5, 900, 44};
    private static final StageOptions OPTIONS = TestModels.options(64, 1, 16);

    @Test
    void theLastTokensStateIsLlamasOwnEmbedding() throws Throwable {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(TestModels.bundled(), TestModels.tiny(), 0)) {
            float[] own;
            Rows rows = rows(arena, model.width());
            try (LlamaStage stage = model.openWhole(OPTIONS)) {
                rows.wantNormed();
                stage.compute(rows);
                own = stage.normed(PROMPT.length - 1).toArray(JAVA_FLOAT);
                assertThat(stage.logits(PROMPT.length - 1).byteSize()).isPositive();
            }
            assertThat(own).hasSize(model.width()).isEqualTo(embedding(arena, model, rows));
        }
    }

    private static Rows rows(Arena arena, int width) {
        Rows rows = new Rows(arena, 16, width);
        for (int i = 0; i < PROMPT.length; i++) {
            rows.add(PROMPT[i], i, 0, i == PROMPT.length - 1);
        }
        return rows;
    }

    /** From a context that is opened for embeddings and nothing else. */
    private float[] embedding(Arena arena, LlamaModel model, Rows rows) throws Throwable {
        LlamaLibrary library = model.library();
        MemorySegment context =
                model.openContext(new ContextWish(OPTIONS, true, MemorySegment.NULL, false));
        try {
            Span all = new Span(0, model.blocks());
            StageShape shape =
                    new StageShape(
                            all,
                            model.blocks(),
                            model.width(),
                            model.vocabulary().size(),
                            64,
                            1,
                            16);
            MemorySegment batch = new Batch(shape, arena).of(rows);
            assertThat(library.abi().decode(library.contexts(), context, batch)).isZero();
            Path file = BundledLibrary.unpack(TestModels.CACHE);
            Symbols symbols = new Symbols(SymbolLookup.libraryLookup(file, arena), "the library");
            MemorySegment found =
                    (MemorySegment)
                            symbols.of("llama_get_embeddings_ith", ADDRESS, ADDRESS, JAVA_INT)
                                    .invokeExact(context, PROMPT.length - 1);
            return found.reinterpret((long) model.width() * Float.BYTES).toArray(JAVA_FLOAT);
        } finally {
            library.contexts().free(context);
            model.contextClosed();
        }
    }

    @Test
    void nobodyGetsWhatNobodyAskedFor() throws Exception {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(TestModels.bundled(), TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(OPTIONS)) {
            stage.compute(rows(arena, model.width()));
            assertThatThrownBy(() -> stage.normed(PROMPT.length - 1))
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> stage.normed(0)).isInstanceOf(IllegalStateException.class);
        }
    }
}
