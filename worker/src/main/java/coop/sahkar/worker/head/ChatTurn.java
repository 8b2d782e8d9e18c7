package coop.sahkar.worker.head;

import java.util.List;

/**
 * One message of a conversation.
 *
 * @param role {@code system}, {@code user}, {@code assistant} or {@code tool}
 * @param content its text; a tool's is what the function returned
 * @param calls the functions that the assistant called
 * @param callId id of the call that a tool's message answers; empty for others
 */
public record ChatTurn(String role, String content, List<Call> calls, String callId) {

    /** A message without calls. */
    public ChatTurn(String role, String content) {
        this(role, content, List.of(), "");
    }

    /**
     * A call of a function.
     *
     * @param id unique in the conversation
     * @param name the function's
     * @param arguments as the model wrote them: a JSON object if all went well
     */
    public record Call(String id, String name, String arguments) {}

    /** Whether it has to do with functions. */
    boolean callsOrAnswers() {
        return !calls.isEmpty() || role.equals("tool");
    }
}
