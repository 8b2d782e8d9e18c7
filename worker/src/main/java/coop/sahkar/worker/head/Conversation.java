package coop.sahkar.worker.head;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.ChatTool;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What is said, and what functions may be called; read from the wire and within bounds.
 *
 * @param turns oldest first
 */
record Conversation(List<ChatTurn> turns, List<Tool> tools) {

    /** Reads a conversation. */
    static Conversation of(Chat chat) throws RunOrder.Rejected {
        int count = chat.getMessagesCount();
        if (count == 0 || count > Limits.MAX_CHAT_MESSAGES) {
            throw rejected(
                    "messages",
                    "messages must hold 1 to %d messages, not %d."
                            .formatted(Limits.MAX_CHAT_MESSAGES, count));
        }
        List<ChatTurn> turns = new ArrayList<>(count);
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            ChatTurn turn = turn(chat.getMessages(i), i);
            bytes += bytes(turn);
            turns.add(turn);
        }
        RunOrder.requireBytes(bytes, "messages");
        return new Conversation(turns, tools(chat.getToolsList()));
    }

    private static ChatTurn turn(ChatMessage message, int index) throws RunOrder.Rejected {
        switch (message.getRole()) {
            case "system", "user", "assistant", "tool" -> {}
            default ->
                    throw rejected(
                            "messages[" + index + "].role",
                            "messages[%d].role must be system, user, assistant or tool."
                                    .formatted(index));
        }
        if (message.getCallsCount() > Limits.MAX_CALLS) {
            throw rejected(
                    "messages[" + index + "].tool_calls",
                    "messages[%d].tool_calls may hold %d calls."
                            .formatted(index, Limits.MAX_CALLS));
        }
        return new ChatTurn(
                message.getRole(),
                message.getContent(),
                message.getCallsList().stream()
                        .map(call ->
                                new ChatTurn.Call(
                                        call.getId(), call.getName(), call.getArguments()))
                        .toList(),
                message.getCallId());
    }

    private static long bytes(ChatTurn turn) {
        long bytes = utf8(turn.content()) + utf8(turn.callId());
        for (ChatTurn.Call call : turn.calls()) {
            bytes += utf8(call.id()) + utf8(call.name()) + utf8(call.arguments());
        }
        return bytes;
    }

    private static List<Tool> tools(List<ChatTool> wire) throws RunOrder.Rejected {
        long bytes = 0;
        List<Tool> tools = new ArrayList<>();
        for (ChatTool tool : wire) {
            bytes += tool.getSerializedSize();
            tools.add(new Tool(tool.getName(), tool.getDescription(), tool.getParameters()));
        }
        if (tools.size() > Limits.MAX_TOOLS || bytes > Limits.MAX_TOOLS_BYTES) {
            throw rejected(
                    "tools",
                    "tools may hold %d functions of %d bytes together."
                            .formatted(Limits.MAX_TOOLS, Limits.MAX_TOOLS_BYTES));
        }
        return tools;
    }

    private static long utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private static RunOrder.Rejected rejected(String field, String message) {
        return new RunOrder.Rejected(Problem.inField(field, message));
    }
}
