package coop.sahkar.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.proto.CallSyntax;
import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.TokenSampler;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Grammars at the tail: what comes out is in the language, however it was come by. */
class TokenGrammarTest {
    private static final int PROMPT = 3;
    private static final String NUMBERS =
            "root ::= \"[\" num (\",\" num){0,7} \"]\"\nnum ::= [1-9] [0-9]{0,3}\n";

    private final Arena arena = Arena.ofConfined();

    static java.util.stream.Stream<LlamaLibrary> libraries() {
        return TestModels.libraries();
    }

    @AfterEach
    void closeArena() {
        arena.close();
    }

    private static Sampling sampling(String grammar, float temperature, long seed) {
        return new Sampling(
                temperature,
                0,
                0.95f,
                0,
                0.9f,
                1,
                0,
                0,
                -1,
                new TreeMap<>(),
                seed,
                0,
                grammar,
                PROMPT,
                false);
    }

    private TokenSampler sampler(LlamaLibrary library, LlamaModel model, Sampling sampling) {
        LlamaVocabulary vocabulary = model.vocabulary();
        return new LlamaSampler(
                library.samplers(),
                new Candidates(vocabulary.size(), arena),
                vocabulary.handle(),
                sampling);
    }

    private MemorySegment noise(int vocabulary, long seed) {
        Random random = new Random(seed);
        MemorySegment logits = arena.allocate(ValueLayout.JAVA_FLOAT, vocabulary);
        for (int i = 0; i < vocabulary; i++) {
            logits.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian() * 3);
        }
        return logits;
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void whateverTheModelWantsTheAnswerIsInTheLanguage(LlamaLibrary library) throws Exception {
        try (LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0)) {
            for (float temperature : new float[] {0, 1}) {
                for (long seed = 1; seed <= 20; seed++) {
                    assertThat(answer(library, model, sampling(NUMBERS, temperature, seed)))
                            .matches("\\[[1-9][0-9]{0,3}(,[1-9][0-9]{0,3}){0,7}]");
                }
            }
        }
    }

    /** The shape in which the gateway writes calls, with the rules that the head adds. */
    @ParameterizedTest
    @MethodSource("libraries")
    void callsAreWrittenAsTheModelIsUsedTo(LlamaLibrary library) throws Exception {
        String calls =
                """
                root ::= calls
                calls ::= calls-open call (calls-between call){0,1} calls-close
                call ::= call-begin (call-0 | call-1) call-end
                call-0 ::= "{\\"name\\": \\"add\\"" call-key "{}" "}"
                call-1 ::= "{\\"name\\": \\"ping\\"" call-key "{\\"a\\":" [0-9] "}" "}"
                """;
        Map<CallSyntax, String> one =
                Map.of(
                        CallSyntax.TAGGED,
                                "<tool_call>\n%s\n</tool_call>".formatted(call("arguments")),
                        CallSyntax.LISTED, call("arguments"),
                        CallSyntax.BARE, call("parameters"));
        try (LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0)) {
            for (CallSyntax syntax : CallSyntax.values()) {
                String more = syntax == CallSyntax.TAGGED ? "\n" : "[,;] ";
                String all = one.get(syntax) + "(" + more + one.get(syntax) + ")?";
                boolean listed = syntax == CallSyntax.LISTED;
                for (long seed = 1; seed <= 6; seed++) {
                    assertThat(answer(library, model, sampling(syntax.complete(calls), 1, seed)))
                            .matches(listed ? "\\[TOOL_CALLS] \\[" + all + "]" : all);
                }
            }
        }
    }

    /** With calls allowed and not asked for: whatever begins as one is one, all else is text. */
    @ParameterizedTest
    @MethodSource("libraries")
    void aCallIsOneAsSoonAsItBegins(LlamaLibrary library) throws Exception {
        String free =
                """
                root ::= call-free
                calls ::= calls-open call calls-close
                call ::= call-begin call-0 call-end
                call-0 ::= "{\\"name\\": \\"add\\"" call-key "{}" "}"
                call-rest ::= ": \\"add\\"" call-key "{}" "}"
                """;
        List<String> texts =
                List.of("Hi <tool> [1] é", "{\"a\": 1}", "[{\"n\": 1}]", "<|x {", "[TOO", "");
        try (LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0)) {
            for (CallSyntax syntax : CallSyntax.values()) {
                Sampling sampling = sampling(syntax.complete(free), 1, 1);
                for (String call : callsWithin(syntax)) {
                    assertThat(mayEnd(library, model, sampling, call)).as(call).isTrue();
                    assertThatThrownBy(() -> mayEnd(library, model, sampling, call + "!"))
                            .hasMessageContaining("left its grammar");
                    String bad = call.replace("add", "odd");
                    assertThatThrownBy(() -> mayEnd(library, model, sampling, bad))
                            .hasMessageContaining("left its grammar");
                    String half = call.substring(0, call.indexOf(": {}"));
                    assertThat(mayEnd(library, model, sampling, half)).as(half).isFalse();
                }
                for (String text : texts) {
                    assertThat(mayEnd(library, model, sampling, text)).as(text).isTrue();
                }
            }
        }
    }

    private static List<String> callsWithin(CallSyntax syntax) {
        return switch (syntax) {
            case TAGGED ->
                    List.of(
                            "I < <tool <tool_call>{\"name\": \"add\", \"arguments\": {}}\n</tool_call>",
                            "<<tool_call>\n{\"name\": \"add\", \"arguments\": {}}\n</tool_call>");
            case LISTED ->
                    List.of(
                            "[TOOL_CALLS] [{\"name\": \"add\", \"arguments\": {}}]",
                            " [ {\"name\": \"add\", \"arguments\": {}}]");
            case BARE ->
                    List.of(
                            "{\"name\": \"add\", \"parameters\": {}}",
                            "<|python_tag|>{\"name\": \"add\", \"parameters\": {}}");
        };
    }

    /** Whether an answer may end behind a text, where the model wants nothing but to end it. */
    private boolean mayEnd(LlamaLibrary library, LlamaModel model, Sampling sampling, String text) {
        LlamaVocabulary vocabulary = model.vocabulary();
        int[] tokens = vocabulary.tokenize(text, false, false);
        int[] history = Arrays.copyOf(new int[PROMPT], PROMPT + tokens.length);
        System.arraycopy(tokens, 0, history, PROMPT, tokens.length);
        MemorySegment logits = noise(vocabulary.size(), 1);
        for (int token = 0; token < vocabulary.size(); token++) {
            if (vocabulary.endsGeneration(token)) {
                logits.setAtIndex(ValueLayout.JAVA_FLOAT, token, 1e6f);
            }
        }
        try (TokenSampler sampler = sampler(library, model, sampling)) {
            return vocabulary.endsGeneration(sampler.sample(logits, history.length, history));
        }
    }

    private static String call(String key) {
        return "(\\{\"name\": \"add\", \"%s\": \\{}}|\\{\"name\": \"ping\", \"%s\": \\{\"a\":[0-9]}})"
                .formatted(key, key);
    }

    /** Generates with one sampler, and checks each token against one that is asked out of turn. */
    private String answer(LlamaLibrary library, LlamaModel model, Sampling sampling) {
        LlamaVocabulary vocabulary = model.vocabulary();
        int[] history = new int[PROMPT + 512];
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try (TokenSampler one = sampler(library, model, sampling);
                TokenSampler other = sampler(library, model, sampling)) {
            for (int position = PROMPT; ; position++) {
                MemorySegment logits = noise(vocabulary.size(), position * 31L + sampling.seed());
                int token = one.sample(logits, position, history);
                assertThat(other.sample(logits, position, history)).isEqualTo(token);
                if (vocabulary.endsGeneration(token)) {
                    return text.toString(StandardCharsets.UTF_8);
                }
                text.writeBytes(vocabulary.piece(token));
                history[position] = token;
                int back = PROMPT + (position - PROMPT) / 2;
                MemorySegment before = noise(vocabulary.size(), back * 31L + sampling.seed());
                assertThat(other.sample(before, back, history))
                        .as("a position sampled again")
                        .isEqualTo(history[back]);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void tokensThatLeaveTheGrammarEndTheSessionAndNotTheProcess(LlamaLibrary library)
            throws Exception {
        try (LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                TokenSampler sampler = sampler(library, model, sampling(NUMBERS, 1, 1))) {
            int[] history = new int[PROMPT + 2];
            history[PROMPT] = model.vocabulary().tokenize("x", false, false)[0];
            MemorySegment logits = noise(model.vocabulary().size(), 1);
            assertThatThrownBy(() -> sampler.sample(logits, PROMPT + 1, history))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("left its grammar");
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void whatIsNoGrammarIsRefused(LlamaLibrary library) throws Exception {
        try (LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0)) {
            for (String broken :
                    new String[] {
                        "root ::= \"a", "rood ::= \"a\"", "root ::= root \"a\" | \"b\"", "?"
                    }) {
                assertThatThrownBy(() -> sampler(library, model, sampling(broken, 1, 1)))
                        .as(broken)
                        .isInstanceOf(IllegalArgumentException.class);
            }
        }
    }
}
