package coop.sahkar.client;

/**
 * One message of a conversation.
 *
 * @param role who says it
 * @param content its text
 */
public record ChatMessage(Role role, String content) {

    /** Who speaks. */
    public enum Role {
        /** Instructions ahead of the conversation. */
        SYSTEM,
        /** The person, or program, that asks. */
        USER,
        /** The model. */
        ASSISTANT;

        String wireName() {
            return switch (this) {
                case SYSTEM -> "system";
                case USER -> "user";
                case ASSISTANT -> "assistant";
            };
        }
    }

    public static ChatMessage system(String content) {
        return new ChatMessage(Role.SYSTEM, content);
    }

    public static ChatMessage user(String content) {
        return new ChatMessage(Role.USER, content);
    }

    public static ChatMessage assistant(String content) {
        return new ChatMessage(Role.ASSISTANT, content);
    }
}
