package coop.sahkar.client;

import java.util.List;

/**
 * One message of a conversation.
 *
 * @param role who says it
 * @param content its text
 * @param images shown with it: {@code https:} addresses or {@code data:} URLs
 * @param toolCalls tools this message of the model asked for
 * @param toolCallId the call whose result a {@link Role#TOOL} message brings; else empty
 */
public record ChatMessage(
        Role role,
        String content,
        List<String> images,
        List<ToolCall> toolCalls,
        String toolCallId) {
    public ChatMessage {
        images = List.copyOf(images);
        toolCalls = List.copyOf(toolCalls);
    }

    /** A message of text alone. */
    public ChatMessage(Role role, String content) {
        this(role, content, List.of(), List.of(), "");
    }

    /** Who speaks. */
    public enum Role {
        /** Instructions ahead of the conversation. */
        SYSTEM,
        /** The person, or program, that asks. */
        USER,
        /** The model. */
        ASSISTANT,
        /** A tool that was called. */
        TOOL;

        /** {@code system}, {@code user}, {@code assistant} or {@code tool}. */
        public String wireName() {
            return switch (this) {
                case SYSTEM -> "system";
                case USER -> "user";
                case ASSISTANT -> "assistant";
                case TOOL -> "tool";
            };
        }
    }

    public static ChatMessage system(String content) {
        return new ChatMessage(Role.SYSTEM, content);
    }

    public static ChatMessage user(String content) {
        return new ChatMessage(Role.USER, content);
    }

    /** A question about images. */
    public static ChatMessage user(String content, List<String> images) {
        return new ChatMessage(Role.USER, content, images, List.of(), "");
    }

    public static ChatMessage assistant(String content) {
        return new ChatMessage(Role.ASSISTANT, content);
    }

    /** What the model said when it asked for tools. */
    public static ChatMessage assistant(String content, List<ToolCall> toolCalls) {
        return new ChatMessage(Role.ASSISTANT, content, List.of(), toolCalls, "");
    }

    /** What a tool returned. */
    public static ChatMessage tool(String toolCallId, String result) {
        return new ChatMessage(Role.TOOL, result, List.of(), List.of(), toolCallId);
    }
}
