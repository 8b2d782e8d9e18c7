package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.ChatCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads what a chat's messages say of calls that were made before. */
final class CallHistory {
    private CallHistory() {}

    /**
     * The calls of an assistant's message.
     *
     * @param called ids of the calls before; these are added
     */
    static List<ChatCall> calls(JsonNode node, String at, Set<String> called) {
        if (!node.isArray() || node.size() > Limits.MAX_CALLS) {
            throw new RefusedRequest(
                    at, "%s must be an array of at most %d calls.".formatted(at, Limits.MAX_CALLS));
        }
        List<ChatCall> calls = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            ChatCall call = call(node.get(i), at + "[" + i + "]");
            if (!called.add(call.getId())) {
                throw new RefusedRequest(
                        at + "[" + i + "].id", at + "[" + i + "].id is that of an earlier call.");
            }
            calls.add(call);
        }
        return calls;
    }

    private static ChatCall call(JsonNode node, String at) {
        if (!(node instanceof ObjectNode)
                || !(node.get("function") instanceof ObjectNode function)
                || !node.path("type").asString("function").equals("function")) {
            throw new RefusedRequest(at, at + " must be a call of a function, with id and type.");
        }
        return ChatCall.newBuilder()
                .setId(text(node.get("id"), at + ".id", Limits.MAX_CALL_ID))
                .setName(text(function.get("name"), at + ".function.name", Limits.MAX_TOOL_NAME))
                .setArguments(
                        text(
                                function.get("arguments"),
                                at + ".function.arguments",
                                Limits.MAX_PROMPT_BYTES))
                .build();
    }

    /** The call that a tool's message answers. */
    static String answered(Fields fields, String at, Set<String> called) {
        String id = text(fields.get("tool_call_id"), at, Limits.MAX_CALL_ID);
        if (!called.contains(id)) {
            throw new RefusedRequest(at, at + " names no call of an earlier message.");
        }
        return id;
    }

    private static String text(@Nullable JsonNode node, String at, int most) {
        String text = node == null ? "" : Fields.text(node, at);
        if (text.isEmpty() || text.length() > most) {
            throw new RefusedRequest(
                    at, "%s must be a string of 1 to %d characters.".formatted(at, most));
        }
        return text;
    }
}
