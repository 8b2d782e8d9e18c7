package coop.sahkar.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.StageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LlamaModelTest {
    static Stream<LlamaLibrary> libraries() {
        return TestModels.libraries();
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void saysWhatTheFileHolds(LlamaLibrary library) throws StageException {
        try (LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0)) {
            assertThat(model.blocks()).isEqualTo(6);
            assertThat(model.width()).isEqualTo(256);
            assertThat(model.trainedContext()).isEqualTo(512);
            assertThat(model.metadata("general.architecture")).contains("llama");
            assertThat(model.metadata("tokenizer.chat_template").orElseThrow())
                    .contains("<|assistant|>");
            assertThat(model.metadata("no.such.key")).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void damagedFilesGetASentence(LlamaLibrary library, @TempDir Path folder) throws IOException {
        byte[] whole = Files.readAllBytes(TestModels.tiny());
        byte[] flipped = whole.clone();
        Arrays.fill(flipped, 8, 24, (byte) 0xFF);
        byte[] wrongVersion = whole.clone();
        wrongVersion[4] = 99;
        for (byte[] content :
                new byte[][] {
                    Arrays.copyOf(whole, 20),
                    Arrays.copyOf(whole, 5_000),
                    Arrays.copyOf(whole, whole.length / 2),
                    flipped,
                    wrongVersion
                }) {
            Path file = Files.write(folder.resolve("damaged.gguf"), content);
            assertThatThrownBy(() -> LlamaModel.load(library, file, 0))
                    .isInstanceOf(StageException.class)
                    .hasMessageContaining("damaged.gguf")
                    .hasMessageContaining("fetch the file again");
        }
    }

    @Test
    void whatIsNotAModelGetsASentence(@TempDir Path folder) throws IOException {
        Path text = Files.writeString(folder.resolve("readme.gguf"), "<html>not found</html>");
        assertThatThrownBy(() -> LlamaModel.load(TestModels.bundled(), text, 0))
                .isInstanceOf(StageException.class)
                .hasMessageContaining("is not a GGUF file");
        assertThatThrownBy(
                        () -> LlamaModel.load(TestModels.bundled(), folder.resolve("none.gguf"), 0))
                .isInstanceOf(StageException.class)
                .hasMessageContaining("cannot be read");
        assertThatThrownBy(() -> LlamaModel.load(TestModels.bundled(), folder, 0))
                .isInstanceOf(StageException.class)
                .hasMessageContaining("cannot be read");
    }

    @Test
    void afterCloseEverythingThrowsAndNothingCrashes() throws StageException {
        LlamaModel model = LlamaModel.load(TestModels.bundled(), TestModels.tiny(), 0);
        LlamaVocabulary vocabulary = model.vocabulary();
        model.close();
        model.close();
        assertThatThrownBy(model::width).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(model::vocabulary).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> model.metadata("general.name"))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> vocabulary.tokenize("a", false, false))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> model.openStage(new Span(0, 6), 6, TestModels.options(64, 1, 8)))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void closesOnlyAfterItsStages() throws StageException {
        LlamaModel model = LlamaModel.load(TestModels.bundled(), TestModels.tiny(), 0);
        LlamaStage stage = model.openWhole(TestModels.options(64, 1, 8));
        assertThatThrownBy(model::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("1 open stages");
        assertThat(model.blocks()).isEqualTo(6);
        stage.close();
        model.close();
        assertThatThrownBy(model::blocks).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aStageOfAnotherShapeIsRefused() throws StageException {
        try (LlamaModel model = LlamaModel.load(TestModels.bundled(), TestModels.tiny(), 0)) {
            StageOptions options = TestModels.options(64, 1, 8);
            assertThatThrownBy(() -> model.openStage(new Span(0, 3), 6, options))
                    .isInstanceOf(StageException.class)
                    .hasMessageContaining("holds 6 blocks, not the blocks [0, 3) of 6");
            assertThatThrownBy(() -> model.openStage(new Span(2, 8), 6, options))
                    .isInstanceOf(StageException.class);
            assertThatThrownBy(() -> model.openWhole(TestModels.options(1024, 65, 8)))
                    .isInstanceOf(StageException.class)
                    .hasMessageContaining("at most 64 sequences");
        }
    }
}
