package coop.sahkar.worker.llama;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.worker.engine.StageException;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LlamaVocabularyTest {
    private static final int BOS = 1;
    private static final int END_OF_TEXT = 2;
    private static final int END_OF_TURN = 6;

    static Stream<LlamaLibrary> libraries() {
        return TestModels.libraries();
    }

    static String text(LlamaVocabulary vocabulary, int[] tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int token : tokens) {
            bytes.writeBytes(vocabulary.piece(token));
        }
        return bytes.toString(UTF_8);
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void textComesBackAsItWent(LlamaLibrary library) throws StageException {
        try (LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0)) {
            LlamaVocabulary vocabulary = model.vocabulary();
            for (String text :
                    List.of(
                            "",
                            " two  spaces and\nlines\r\n\ttabs ",
                            "🤝 सहकार, 協同 and e\u0301",
                            "\0 inside \u0001",
                            "<s> in plain text </s>",
                            "x".repeat(300_000),
                            "सहकार 🤝 ".repeat(20_000))) {
                int[] tokens = vocabulary.tokenize(text, false, false);
                assertThat(text(vocabulary, tokens)).isEqualTo(text);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void halfASurrogatePairBecomesAQuestionMark(LlamaLibrary library) throws StageException {
        try (LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0)) {
            int[] tokens = model.vocabulary().tokenize("a\uD83Eb", false, false);
            assertThat(text(model.vocabulary(), tokens)).isEqualTo("a?b");
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void oneCharacterMayTakeSeveralTokens(LlamaLibrary library) throws StageException {
        try (LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0)) {
            LlamaVocabulary vocabulary = model.vocabulary();
            int[] tokens = vocabulary.tokenize("🤝", false, false);
            assertThat(tokens).hasSize(4);
            for (int token : tokens) {
                assertThat(vocabulary.piece(token)).hasSize(1);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void controlTokensAreReadOnlyWhenAskedAndHaveNoText(LlamaLibrary library)
            throws StageException {
        try (LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0)) {
            LlamaVocabulary vocabulary = model.vocabulary();
            assertThat(vocabulary.tokenize("<|end|>", false, true)).containsExactly(END_OF_TURN);
            assertThat(vocabulary.tokenize("<|end|>", false, false).length).isGreaterThan(1);
            assertThat(vocabulary.tokenize("", true, false)).containsExactly(BOS);
            assertThat(vocabulary.piece(END_OF_TURN)).isEmpty();
            assertThat(vocabulary.endsGeneration(END_OF_TURN)).isTrue();
            assertThat(vocabulary.endsGeneration(END_OF_TEXT)).isTrue();
            assertThat(vocabulary.endsGeneration(BOS)).isFalse();
            assertThat(vocabulary.size()).isEqualTo(1536);
        }
    }

    @Test
    void everyTokenHasAPieceThatItsReaderMayChange() throws StageException {
        try (LlamaModel model = LlamaModel.load(TestModels.bundled(), TestModels.tiny(), 0)) {
            LlamaVocabulary vocabulary = model.vocabulary();
            for (int token = 0; token < vocabulary.size(); token++) {
                byte[] piece = vocabulary.piece(token);
                byte[] before = piece.clone();
                if (piece.length > 0) {
                    piece[0]++;
                }
                assertThat(vocabulary.piece(token)).isEqualTo(before);
            }
        }
    }

    @Test
    void tokensOutOfRangeAreRefused() throws StageException {
        try (LlamaModel model = LlamaModel.load(TestModels.bundled(), TestModels.tiny(), 0)) {
            LlamaVocabulary vocabulary = model.vocabulary();
            for (int token : new int[] {-1, vocabulary.size(), Integer.MIN_VALUE}) {
                assertThatThrownBy(() -> vocabulary.piece(token))
                        .isInstanceOf(IndexOutOfBoundsException.class);
                assertThatThrownBy(() -> vocabulary.endsGeneration(token))
                        .isInstanceOf(IndexOutOfBoundsException.class);
            }
        }
    }

    @Test
    void manyThreadsMayUseIt() throws Exception {
        try (LlamaModel model = LlamaModel.load(TestModels.bundled(), TestModels.tiny(), 0);
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            LlamaVocabulary vocabulary = model.vocabulary();
            Callable<String> roundTrips =
                    () -> {
                        String last = "";
                        for (int i = 0; i < 200; i++) {
                            String text = "Round trip " + i + " 🤝";
                            last = text(vocabulary, vocabulary.tokenize(text, false, false));
                        }
                        return last;
                    };
            List<Future<String>> all =
                    threads.invokeAll(IntStream.range(0, 4).mapToObj(i -> roundTrips).toList());
            for (Future<String> one : all) {
                assertThat(one.get()).isEqualTo("Round trip 199 🤝");
            }
        }
    }
}
