package coop.sahkar.deploy.e2e;

import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceRequest;
import java.time.Duration;
import java.util.List;

/** What tests ask of the bundled model. */
final class Questions {
    /** A story takes long enough for something to happen in the middle of it. */
    static final String STORY = "Tell me a story.";

    /**
     * An answer in which every token wins by 0.39 or more in logits, the first 170 of them. A story
     * has ties of a few thousandths, and then rows computed again in other batches, which differ in
     * their last bits, may rightly tell another one.
     */
    private static final String STEADY = "Count from 3 to 30.";

    /** As long as a story. */
    private static final int STEADY_TOKENS = 123;

    private static final List<String> NAMES =
            List.of("Mina", "Omar", "Lucia", "Tariq", "Meera", "Ravi");

    private static final int TINY_TOKENS = 4;
    private static final int SAMPLED_TOKENS = 40;

    private Questions() {}

    /** A greedy answer, as long as the model makes it. */
    static InferenceRequest brief(String model, String question) {
        return InferenceRequest.ask(model, question).with(greedy().build());
    }

    /** A long greedy answer that is the same however its rows were batched. */
    static InferenceRequest steady(String model) {
        return InferenceRequest.ask(model, STEADY).with(greedy().maxTokens(STEADY_TOKENS).build());
    }

    /** The first few tokens of a greedy answer. */
    static InferenceRequest tiny(String model, String question) {
        return InferenceRequest.ask(model, question).with(greedy().maxTokens(TINY_TOKENS).build());
    }

    /** An answer by chance. */
    static InferenceRequest sampled(String model, String question, long seed) {
        return InferenceRequest.ask(model, question)
                .with(
                        GenerationOptions.builder()
                                .temperature(0.9)
                                .seed(seed)
                                .maxTokens(SAMPLED_TOKENS)
                                .build());
    }

    /** What any model makes of a few words. */
    static InferenceRequest continued(String model, int tokens) {
        return InferenceRequest.prompt(model, "members lend their machines")
                .with(greedy().maxTokens(tokens).build());
    }

    /** One of many questions. */
    static String different(int number) {
        String name = NAMES.get(number % NAMES.size());
        return number % 2 == 0
                ? "Count from %d to %d.".formatted(number % 7, number % 7 + 6)
                : "Say: %s likes the turtle %d.".formatted(name, number % 10);
    }

    private static GenerationOptions.Builder greedy() {
        return GenerationOptions.builder().temperature(0).timeout(Duration.ofSeconds(60));
    }
}
