package coop.sahkar.client.routing;

import coop.sahkar.client.AnswerFormat;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.InferenceRequest.Input;
import coop.sahkar.client.provider.Feature;
import java.util.EnumSet;
import java.util.Set;
import java.util.SortedSet;

/**
 * What a request asks of whoever answers it.
 *
 * @param model the name requested
 * @param features what it must be able to do
 * @param parameters what it must take
 * @param promptTokens of the prompt, estimated
 * @param answerTokens most of the answer; 0: not said
 */
public record Need(
        String model,
        Set<Feature> features,
        SortedSet<String> parameters,
        int promptTokens,
        int answerTokens) {
    /** An estimate may be this much too high; only what surely does not fit is not sent. */
    private static final double SURE = 0.6;

    /** What an answer of unknown length is taken to need when limits are kept. */
    private static final int USUAL_ANSWER_TOKENS = 512;

    /** What a request needs. */
    public static Need of(InferenceRequest request) {
        EnumSet<Feature> features = EnumSet.noneOf(Feature.class);
        switch (request.input()) {
            case Input.Prompt _ -> features.add(Feature.PROMPT);
            case Input.Conversation(var messages) -> {
                features.add(Feature.CHAT);
                if (messages.stream().anyMatch(m -> !m.images().isEmpty())) {
                    features.add(Feature.VISION);
                }
                if (messages.stream().anyMatch(Need::usesTools)) {
                    features.add(Feature.TOOLS);
                }
            }
        }
        if (!request.tools().isEmpty()) {
            features.add(Feature.TOOLS);
        }
        switch (request.format()) {
            case AnswerFormat.Text _ -> {}
            case AnswerFormat.JsonObject _ -> features.add(Feature.JSON_OBJECT);
            case AnswerFormat.JsonSchema _ -> features.add(Feature.JSON_SCHEMA);
        }
        return new Need(
                request.model(),
                features,
                request.options().parameters(),
                TokenEstimate.of(request),
                request.options().maxTokens());
    }

    private static boolean usesTools(coop.sahkar.client.ChatMessage message) {
        return !message.toolCalls().isEmpty() || !message.toolCallId().isEmpty();
    }

    /** The fewest tokens of context it can need. */
    int surelyTokens() {
        return (int) (promptTokens * SURE) + Math.max(1, answerTokens);
    }

    /** What it is taken to use, for limits. */
    public long likelyTokens() {
        return (long) promptTokens + likelyAnswerTokens();
    }

    /** What its answer is taken to use. */
    public int likelyAnswerTokens() {
        return answerTokens == 0 ? USUAL_ANSWER_TOKENS : answerTokens;
    }
}
