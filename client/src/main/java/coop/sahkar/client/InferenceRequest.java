package coop.sahkar.client;

import java.util.List;

/**
 * What to ask of a model.
 *
 * @param model a model's id, or a name or alias that providers know; empty: each provider's first
 * @param input what to go on from
 * @param options how to answer
 * @param tools what the model may ask to be called
 * @param format the form the answer must have
 */
public record InferenceRequest(
        String model,
        Input input,
        GenerationOptions options,
        List<Tool> tools,
        AnswerFormat format) {
    public InferenceRequest {
        tools = List.copyOf(tools);
    }

    /** A request for text. */
    public InferenceRequest(String model, Input input, GenerationOptions options) {
        this(model, input, options, List.of(), new AnswerFormat.Text());
    }

    /** What a model goes on from. */
    public sealed interface Input {
        /**
         * A conversation, rendered with the model's own chat template.
         *
         * @param messages oldest first, at least one
         */
        record Conversation(List<ChatMessage> messages) implements Input {
            public Conversation {
                messages = List.copyOf(messages);
            }
        }

        /**
         * Plain text, continued as it stands.
         *
         * @param text the beginning
         */
        record Prompt(String text) implements Input {}
    }

    /** A conversation with default options. */
    public static InferenceRequest chat(String model, List<ChatMessage> messages) {
        return new InferenceRequest(
                model, new Input.Conversation(messages), GenerationOptions.DEFAULT);
    }

    /** One question with default options. */
    public static InferenceRequest ask(String model, String question) {
        return chat(model, List.of(ChatMessage.user(question)));
    }

    /** Plain text to go on from, with default options. */
    public static InferenceRequest prompt(String model, String text) {
        return new InferenceRequest(model, new Input.Prompt(text), GenerationOptions.DEFAULT);
    }

    /** The same with other options. */
    public InferenceRequest with(GenerationOptions changed) {
        return new InferenceRequest(model, input, changed, tools, format);
    }

    /** The same with tools. */
    public InferenceRequest with(List<Tool> offered) {
        return new InferenceRequest(model, input, options, offered, format);
    }

    /** The same with an answer of this form. */
    public InferenceRequest with(AnswerFormat wanted) {
        return new InferenceRequest(model, input, options, tools, wanted);
    }
}
