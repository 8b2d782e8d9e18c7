package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Limits;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes the {@code input} of a request to {@code /v1/responses} anew as messages of a chat. Calls
 * that follow each other, or what the assistant said, are one message there.
 */
final class ResponseInput {
    private static final Set<String> TEXT_PARTS = Set.of("input_text", "output_text", "text");
    private static final Set<String> ROLES = Set.of("user", "assistant", "system", "developer");

    private final ArrayNode said;

    /**
     * @param said what was said before; what is read is added
     */
    ResponseInput(ArrayNode said) {
        this.said = said;
    }

    /**
     * Reads the field.
     *
     * @throws RefusedRequest for the first fault found
     */
    void read(@Nullable JsonNode input) {
        if (input == null || (input.isArray() && input.isEmpty())) {
            throw new RefusedRequest("input", "input is missing; give a text or messages.");
        }
        if (!input.isArray()) {
            said.addObject().put("role", "user").put("content", Fields.text(input, "input"));
            return;
        }
        for (int i = 0; i < input.size(); i++) {
            item(input.get(i), "input[" + i + "]");
        }
    }

    private void item(JsonNode node, String at) {
        String type = node.path("type").asString("message");
        if (!(node instanceof ObjectNode item)) {
            throw unsupported(at);
        }
        switch (type) {
            case "message" -> said.add(message(item, at));
            case "function_call" -> called(item, at);
            case "function_call_output" -> answered(item, at);
            default -> throw unsupported(at);
        }
    }

    private static RefusedRequest unsupported(String at) {
        return new RefusedRequest(
                at,
                at
                        + " must be a message, a function_call or a function_call_output; other items"
                        + " are not supported.");
    }

    private void called(ObjectNode item, String at) {
        ObjectNode call = Json.object();
        call.put("id", text(item, "call_id", at, Limits.MAX_CALL_ID));
        call.put("type", "function");
        call.putObject("function")
                .put("name", text(item, "name", at, Limits.MAX_TOOL_NAME))
                .put("arguments", text(item, "arguments", at, Limits.MAX_PROMPT_BYTES));
        JsonNode last = said.isEmpty() ? Json.object() : said.get(said.size() - 1);
        boolean goesOn = last.path("role").asString("").equals("assistant");
        ObjectNode message = goesOn ? (ObjectNode) last : said.addObject().put("role", "assistant");
        message.withArray("/tool_calls").add(call);
    }

    private void answered(ObjectNode item, String at) {
        ObjectNode message = said.addObject().put("role", "tool");
        message.put("tool_call_id", text(item, "call_id", at, Limits.MAX_CALL_ID));
        content(item.path("output"), at + ".output", message);
    }

    private static String text(ObjectNode item, String field, String at, int most) {
        JsonNode node = item.path(field);
        String name = at + "." + field;
        String text = node.isString() ? Fields.text(node, name) : "";
        if (text.isEmpty() || text.length() > most) {
            throw new RefusedRequest(
                    name, "%s must be a string of 1 to %d characters.".formatted(name, most));
        }
        return text;
    }

    private static ObjectNode message(ObjectNode item, String at) {
        String role = item.path("role").asString("");
        if (!ROLES.contains(role)) {
            throw new RefusedRequest(
                    at + ".role", at + ".role must be user, assistant, system or developer.");
        }
        ObjectNode message = Json.object().put("role", role);
        content(item.path("content"), at + ".content", message);
        return message;
    }

    private static void content(JsonNode content, String at, ObjectNode message) {
        if (content.isArray()) {
            ArrayNode parts = message.putArray("content");
            for (int i = 0; i < content.size(); i++) {
                parts.add(part(content.get(i), at + "[" + i + "]"));
            }
        } else if (content.isString()) {
            message.put("content", Fields.text(content, at));
        } else {
            throw new RefusedRequest(at, at + " must be a text or an array of texts.");
        }
    }

    private static ObjectNode part(JsonNode part, String at) {
        if (!TEXT_PARTS.contains(part.path("type").asString(""))) {
            throw new RefusedRequest(
                    at + ".type", at + ".type must be input_text; the models here read only text.");
        }
        if (!part.path("text").isString()) {
            throw new RefusedRequest(at + ".text", at + ".text must be a string.");
        }
        return Json.object()
                .put("type", "text")
                .put("text", Fields.text(part.get("text"), at + ".text"));
    }
}
