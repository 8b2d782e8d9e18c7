package coop.sahkar.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.worker.gguf.Architecture;
import coop.sahkar.worker.gguf.GgufFile;
import coop.sahkar.worker.gguf.GgufLayout;
import coop.sahkar.worker.gguf.GgufWriter;
import coop.sahkar.worker.gguf.Metadata;
import coop.sahkar.worker.gguf.MetadataBuilder;
import coop.sahkar.worker.gguf.MetadataValue;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.TensorType;
import coop.sahkar.worker.gguf.ValueType;
import coop.sahkar.worker.gguf.synthetic.RandomModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Words as no language has them: without care they would overflow a stack inside llama.cpp. */
class LongTextTest {
    private static final int BYTES = 256;
    private static final int NORMAL = 1;
    private static final int CONTROL = 3;

    @TempDir private Path folder;

    static Stream<Arguments> tokenizers() {
        return TestModels.libraries()
                .flatMap(library ->
                        Stream.of("qwen2", "gpt-4o", "tekken", "llama-bpe", "gpt-2")
                                .map(name -> Arguments.of(library, name)));
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void wordsOfAnyLengthAreCutIntoTokens(LlamaLibrary library, String preTokenizer)
            throws Exception {
        try (LlamaModel model = LlamaModel.load(library, bytePairModel(preTokenizer), 0)) {
            LlamaVocabulary vocabulary = model.vocabulary();
            for (String part :
                    List.of("b", "B", " ", "\n", "1", "!", "é", "中", "a\u0301", "'s", "🤝")) {
                for (int times : new int[] {257, 5_000, 40_000}) {
                    String text = part.repeat(times);
                    int[] tokens = vocabulary.tokenize(text, false, false);
                    assertThat(LlamaVocabularyTest.text(vocabulary, tokens)).isEqualTo(text);
                }
            }
        }
    }

    /** Rewrites a small model's vocabulary as one of byte pairs: a token for each byte. */
    private Path bytePairModel(String preTokenizer) throws IOException {
        Path plain = folder.resolve("plain.gguf");
        Path target = folder.resolve(preTokenizer + ".gguf");
        RandomModel random = RandomModel.small(Architecture.QWEN2, TensorType.Q8_0, 1);
        random.write(plain, Progress.NONE);
        try (GgufFile file = GgufFile.open(plain)) {
            GgufLayout layout =
                    GgufLayout.of(
                            metadata(file.metadata(), preTokenizer, random.vocabulary()),
                            file.tensors().stream()
                                    .map(t -> new GgufLayout.Slot(t.name(), t.type(), t.shape()))
                                    .toList());
            GgufWriter.TensorData same =
                    (index, offset, destination) -> {
                        int room = destination.remaining();
                        destination.put(
                                file.data(file.tensors().get(index))
                                        .asSlice(offset, room)
                                        .asByteBuffer());
                        return true;
                    };
            GgufWriter.write(layout, same, target, Progress.NONE);
        }
        return target;
    }

    private static Metadata metadata(Metadata source, String preTokenizer, int vocabulary) {
        List<MetadataValue> texts = new ArrayList<>();
        List<MetadataValue> kinds = new ArrayList<>();
        int unprintable = 0;
        for (int id = 0; id < vocabulary; id++) {
            boolean printable = (id > ' ' && id <= '~') || (id > 0xA0 && id != 0xAD);
            int codePoint = printable ? id : BYTES + unprintable++;
            texts.add(
                    new MetadataValue.Text(
                            id < BYTES ? Character.toString(codePoint) : "<|" + id + "|>"));
            kinds.add(new MetadataValue.Whole(ValueType.I32, id < BYTES ? NORMAL : CONTROL));
        }
        return new MetadataBuilder()
                .copy(source, key -> !key.startsWith("tokenizer."))
                .text("tokenizer.ggml.model", "gpt2")
                .text("tokenizer.ggml.pre", preTokenizer)
                .sequence("tokenizer.ggml.tokens", ValueType.STRING, texts)
                .sequence("tokenizer.ggml.token_type", ValueType.I32, kinds)
                .sequence(
                        "tokenizer.ggml.merges",
                        ValueType.STRING,
                        List.of(new MetadataValue.Text("a a")))
                .build();
    }

    @Test
    void stretchesEndWhereEveryPatternEndsAWord() {
        assertThat(Stretches.longest("")).isZero();
        assertThat(Stretches.longest("four word text")).isEqualTo(4);
        assertThat(Stretches.longest("12345678ab")).isEqualTo(8);
        assertThat(Stretches.longest("中文，中文。中文")).isEqualTo(3);
        assertThat(Stretches.longest("don't")).isEqualTo(5);
    }

    @Test
    void onlyLongStretchesAreCutAndNoCharacterIsHalved() {
        assertThat(Stretches.cut("", 3)).containsExactly("");
        assertThat(Stretches.cut("one two", 3)).containsExactly("one two");
        assertThat(Stretches.cut("a bcdefgh i", 3)).containsExactly("a bcd", "efg", "h i");
        assertThat(Stretches.cut("🤝🤝🤝", 3)).containsExactly("🤝", "🤝", "🤝");
    }
}
