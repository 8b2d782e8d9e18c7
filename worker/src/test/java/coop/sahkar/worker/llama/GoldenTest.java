package coop.sahkar.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.engine.TokenSampler;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Sahkar Tiny against the plain numpy forward pass it was published with. */
class GoldenTest {
    private static final int MAX_TOKENS = 200;
    private static final int CHUNK = 7;

    static Stream<LlamaLibrary> libraries() {
        return TestModels.libraries();
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void greedyOutputEqualsTheReferenceForAllTwelvePrompts(LlamaLibrary library)
            throws StageException {
        JsonNode golden = JsonMapper.shared().readTree(TestModels.resource("golden.json").toFile());
        assertThat(golden.get("prompts").size()).isEqualTo(12);
        try (LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(512, 1, 64))) {
            for (JsonNode prompt : golden.get("prompts")) {
                String text = prompt.get("prompt").asString();
                int[] ids = model.vocabulary().tokenize(text, true, true);
                assertThat(ids).as(text).isEqualTo(ints(prompt.get("prompt_ids")));
                stage.truncate(0, 0);
                assertThat(generate(stage, model.vocabulary(), ids))
                        .as(text)
                        .isEqualTo(ints(prompt.get("output_ids")));
            }
        }
    }

    private static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
    }

    /** Prefills in chunks, then takes the likeliest token until the model ends its answer. */
    private static int[] generate(LlamaStage stage, LlamaVocabulary vocabulary, int[] prompt)
            throws StageException {
        List<Integer> output = new ArrayList<>();
        try (Arena arena = Arena.ofConfined();
                TokenSampler sampler = stage.sampler(TestModels.greedy())) {
            Rows rows = new Rows(arena, CHUNK, stage.shape().width());
            int row = -1;
            for (int at = 0; at < prompt.length; ) {
                rows.clear();
                for (; at < prompt.length && rows.count() < CHUNK; at++) {
                    row = rows.add(prompt[at], at, 0, at == prompt.length - 1);
                }
                stage.compute(rows);
            }
            int[] history = new int[prompt.length + MAX_TOKENS];
            System.arraycopy(prompt, 0, history, 0, prompt.length);
            for (int position = prompt.length; output.size() < MAX_TOKENS; position++) {
                int token = sampler.sample(stage.logits(row), position, history);
                history[position] = token;
                output.add(token);
                if (vocabulary.endsGeneration(token)) {
                    break;
                }
                rows.clear();
                row = rows.add(token, position, 0, true);
                stage.compute(rows);
            }
        }
        return output.stream().mapToInt(Integer::intValue).toArray();
    }
}
