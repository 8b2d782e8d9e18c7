package coop.sahkar.client.routing;

import coop.sahkar.client.ChatMessage;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.InferenceRequest.Input;

/**
 * Guesses how many tokens a text has where no tokenizer is at hand. Letters of alphabets go about
 * four to a token, other scripts about one; the guess is meant to be within a third for prose.
 */
public final class TokenEstimate {
    private static final int LETTERS_PER_TOKEN = 4;

    /** What a chat template adds to each message. */
    private static final int MESSAGE_TOKENS = 4;

    /** What vision models make of an image of ordinary size. */
    private static final int IMAGE_TOKENS = 768;

    private static final int FIRST_DENSE_SCRIPT = 0x0900;

    private TokenEstimate() {}

    /** Tokens of a text; 0 for none. */
    public static int of(String text) {
        int dense = 0;
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= FIRST_DENSE_SCRIPT) {
                dense++;
            }
        }
        return dense + Math.ceilDiv(text.length() - dense, LETTERS_PER_TOKEN);
    }

    /** Tokens of a request's prompt, with its tools and images. */
    public static int of(InferenceRequest request) {
        int tokens =
                switch (request.input()) {
                    case Input.Prompt(String text) -> of(text);
                    case Input.Conversation(var messages) ->
                            messages.stream().mapToInt(TokenEstimate::of).sum();
                };
        return tokens
                + request.tools().stream()
                        .mapToInt(t -> of(t.name() + t.description() + t.parameters()))
                        .sum();
    }

    private static int of(ChatMessage message) {
        return MESSAGE_TOKENS
                + of(message.content())
                + IMAGE_TOKENS * message.images().size()
                + message.toolCalls().stream().mapToInt(c -> of(c.name() + c.arguments())).sum();
    }
}
