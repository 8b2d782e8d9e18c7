package coop.sahkar.deploy.e2e;

import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceRequest;
import java.time.Duration;
import java.util.Map;

/** What tests ask of the bundled model. */
final class Questions {
    /** A story takes long enough for something to happen in the middle of it. */
    static final String STORY = "Tell me a story.";

    /** The tokens that end an answer of the bundled model. */
    private static final Map<Integer, Float> NO_END = Map.of(2, -100f, 6, -100f);

    private Questions() {}

    /** A short greedy answer. */
    static InferenceRequest brief(String model, String question) {
        return InferenceRequest.ask(model, question).with(greedy().build());
    }

    /** A greedy answer that goes on for exactly {@code tokens}. */
    static InferenceRequest lasting(String model, int tokens) {
        return InferenceRequest.ask(model, "What is a worker?")
                .with(greedy().maxTokens(tokens).logitBias(NO_END).build());
    }

    private static GenerationOptions.Builder greedy() {
        return GenerationOptions.builder().temperature(0).timeout(Duration.ofSeconds(60));
    }
}
