package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Problem;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A request to {@code /v1/responses}, read by writing it anew as a chat.
 *
 * @param request the chat
 * @param asked the request's own fields
 * @param said all messages but the instructions, which the next turn does not inherit
 * @param store whether the answer is kept, so that the caller may go on from it
 */
record ResponseRequest(OpenAiRequest request, Fields asked, ArrayNode said, boolean store) {
    private static final Set<String> TEXT_PARTS = Set.of("input_text", "output_text", "text");
    private static final List<String> SAME =
            List.of("model", "temperature", "top_p", "top_k", "min_p", "seed", "user", "metadata");

    /**
     * Reads a request.
     *
     * @param before what its caller goes on from; null for a new conversation
     * @throws RefusedRequest for the first fault found
     */
    static ResponseRequest read(
            Fields asked, ResponseStore.@Nullable Kept before, String requestId, long drawnSeed) {
        Unsupported.checkResponses(asked);
        ArrayNode said = Json.object().putArray("input");
        if (before != null) {
            said.addAll(before.messages());
        }
        addInput(asked.get("input"), said);
        ObjectNode chat = Json.object();
        for (String name : SAME) {
            if (asked.has(name)) {
                chat.set(name, asked.get(name));
            }
        }
        chat.put("stream", asked.flag("stream"));
        asked.whole("max_output_tokens", 1, Integer.MAX_VALUE)
                .ifPresent(most -> chat.put("max_completion_tokens", most));
        ArrayNode messages = chat.putArray("messages");
        String instructions = asked.text("instructions");
        if (instructions != null) {
            messages.addObject().put("role", "system").put("content", instructions);
        }
        messages.addAll(said);
        writeFormat(asked.inner("text"), chat);
        boolean store = asked.flag("store", true);
        try {
            OpenAiRequest request =
                    OpenAiRequest.checked(new Fields(chat), true, requestId, drawnSeed);
            return new ResponseRequest(request, asked, said, store);
        } catch (RefusedRequest refused) {
            throw renamed(refused.problem());
        }
    }

    /** Faults are named as the caller's fields are. */
    private static RefusedRequest renamed(Problem problem) {
        String field = problem.field();
        String name =
                field.replaceFirst("^response_format\\.json_schema", "text.format")
                        .replaceFirst("^response_format", "text.format")
                        .replaceFirst("^messages.*", "input")
                        .replaceFirst("^max_(completion_)?tokens", "max_output_tokens");
        String sentence =
                field.isEmpty() ? problem.message() : problem.message().replace(field, name);
        return field.isEmpty() ? new RefusedRequest(problem) : new RefusedRequest(name, sentence);
    }

    private static void addInput(@Nullable JsonNode input, ArrayNode said) {
        if (input == null || (input.isArray() && input.isEmpty())) {
            throw new RefusedRequest("input", "input is missing; give a text or messages.");
        }
        if (!input.isArray()) {
            said.addObject().put("role", "user").put("content", Fields.text(input, "input"));
            return;
        }
        for (int i = 0; i < input.size(); i++) {
            said.add(message(input.get(i), "input[" + i + "]"));
        }
    }

    private static ObjectNode message(JsonNode node, String at) {
        if (!(node instanceof ObjectNode item)
                || !item.path("type").asString("message").equals("message")) {
            throw new RefusedRequest(at, at + " must be a message; other items are not supported.");
        }
        String role = item.path("role").asString("");
        if (!Set.of("user", "assistant", "system", "developer").contains(role)) {
            throw new RefusedRequest(
                    at + ".role", at + ".role must be user, assistant, system or developer.");
        }
        ObjectNode message = Json.object().put("role", role);
        JsonNode content = item.path("content");
        if (content.isArray()) {
            ArrayNode parts = message.putArray("content");
            for (int i = 0; i < content.size(); i++) {
                parts.add(part(content.get(i), at + ".content[" + i + "]"));
            }
            return message;
        }
        if (!content.isString()) {
            throw new RefusedRequest(
                    at + ".content", at + ".content must be a text or an array of texts.");
        }
        return message.put("content", Fields.text(content, at + ".content"));
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

    private static void writeFormat(@Nullable Fields text, ObjectNode chat) {
        Fields format = text == null ? null : text.inner("format");
        if (format == null) {
            return;
        }
        ObjectNode written = chat.putObject("response_format");
        written.set("type", format.get("type"));
        written.set("json_schema", format.object());
    }
}
