package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.ChatMessage;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads the messages of a chat; faults are named by their place, e.g. {@code messages[2].role}. */
final class ChatReader {
    private ChatReader() {}

    static Chat read(@Nullable JsonNode messages) {
        if (messages == null || !messages.isArray()) {
            throw new RefusedRequest("messages", "messages must be an array of messages.");
        }
        if (messages.isEmpty() || messages.size() > Limits.MAX_CHAT_MESSAGES) {
            throw new RefusedRequest(
                    "messages", "messages must hold 1 to %d.".formatted(Limits.MAX_CHAT_MESSAGES));
        }
        Chat.Builder chat = Chat.newBuilder();
        Set<String> called = new HashSet<>();
        for (int i = 0; i < messages.size(); i++) {
            chat.addMessages(message(messages.get(i), "messages[" + i + "]", called));
        }
        return chat.build();
    }

    /**
     * @param called ids of the calls before it; its own are added
     */
    private static ChatMessage message(JsonNode node, String at, Set<String> called) {
        if (!(node instanceof ObjectNode object)) {
            throw new RefusedRequest(at, at + " must be an object with role and content.");
        }
        Fields fields = new Fields(object);
        for (String unsupported : new String[] {"function_call", "audio"}) {
            if (fields.has(unsupported)) {
                String name = at + "." + unsupported;
                throw new RefusedRequest(name, name + " is not supported; leave it out.");
            }
        }
        String role = role(fields, at + ".role");
        ChatMessage.Builder message = ChatMessage.newBuilder().setRole(role);
        JsonNode calls = fields.get("tool_calls");
        if (calls != null && !calls.isEmpty()) {
            if (!role.equals("assistant")) {
                throw new RefusedRequest(
                        at + ".tool_calls", at + ".tool_calls is for the assistant's messages.");
            }
            message.addAllCalls(CallHistory.calls(calls, at + ".tool_calls", called));
        }
        if (role.equals("tool")) {
            message.setCallId(CallHistory.answered(fields, at + ".tool_call_id", called));
        }
        if (message.getCallsCount() == 0 || fields.has("content")) {
            message.setContent(content(fields.get("content"), at + ".content"));
        }
        return message.build();
    }

    private static String role(Fields fields, String at) {
        JsonNode node = fields.get("role");
        String role = node == null ? "" : Fields.text(node, at);
        return switch (role) {
            case "system", "developer" -> "system";
            case "user", "assistant", "tool" -> role;
            case "function" ->
                    throw new RefusedRequest(at, at + ": functions answer in the role of tool.");
            default ->
                    throw new RefusedRequest(at, at + " must be system, user, assistant or tool.");
        };
    }

    private static String content(@Nullable JsonNode node, String at) {
        if (node == null) {
            throw new RefusedRequest(at, at + " is missing; give the message's text.");
        }
        if (!node.isArray()) {
            if (!node.isString()) {
                throw new RefusedRequest(at, at + " must be a string or an array of text parts.");
            }
            return Fields.text(node, at);
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < node.size(); i++) {
            text.append(i == 0 ? "" : "\n").append(part(node.get(i), at + "[" + i + "]"));
        }
        return text.toString();
    }

    private static String part(JsonNode node, String at) {
        if (!(node instanceof ObjectNode object)) {
            throw new RefusedRequest(at, at + " must be an object such as {\"type\":\"text\"}.");
        }
        JsonNode type = object.get("type");
        if (type == null || !type.isString() || !type.stringValue().equals("text")) {
            throw new RefusedRequest(
                    at + ".type", at + ".type must be text; the models here read nothing else.");
        }
        JsonNode text = object.get("text");
        if (text == null) {
            throw new RefusedRequest(at + ".text", at + ".text is missing.");
        }
        return Fields.text(text, at + ".text");
    }
}
