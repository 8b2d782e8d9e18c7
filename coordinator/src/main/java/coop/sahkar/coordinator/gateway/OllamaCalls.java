package coop.sahkar.coordinator.gateway;

import java.util.ArrayDeque;
import java.util.Deque;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Calls of functions between Ollama's shape and OpenAI's. Ollama's calls have no ids: what a tool
 * says answers the oldest call of that name, or of any name, that nothing has answered yet.
 */
final class OllamaCalls {
    private record Open(String id, String name) {}

    private final Deque<Open> open = new ArrayDeque<>();
    private int count;

    private OllamaCalls() {}

    /** Messages in OpenAI's shape; what is no message of Ollama's stays, to be refused by name. */
    static ArrayNode rewritten(ArrayNode messages) {
        OllamaCalls calls = new OllamaCalls();
        ArrayNode written = Json.object().putArray("messages");
        for (JsonNode node : messages) {
            written.add(node instanceof ObjectNode message ? calls.message(message) : node);
        }
        return written;
    }

    private ObjectNode message(ObjectNode message) {
        ObjectNode written = message.deepCopy();
        if (message.get("tool_calls") instanceof ArrayNode calls) {
            ArrayNode rewritten = written.putArray("tool_calls");
            calls.forEach(call -> rewritten.add(call(call)));
        }
        if (message.path("role").asString("").equals("tool") && !message.has("tool_call_id")) {
            String name = message.path("tool_name").asString("");
            Open answered =
                    open.stream()
                            .filter(call -> call.name().equals(name))
                            .findFirst()
                            .orElse(open.peekFirst());
            if (answered != null) {
                open.remove(answered);
                written.put("tool_call_id", answered.id());
            }
        }
        return written;
    }

    private JsonNode call(JsonNode node) {
        if (!(node instanceof ObjectNode call)
                || !(call.get("function") instanceof ObjectNode function)) {
            return node;
        }
        ObjectNode written = call.deepCopy();
        String id = call.path("id").asString("call_" + count++);
        written.put("id", id);
        written.put("type", "function");
        JsonNode arguments = function.get("arguments");
        if (arguments instanceof ObjectNode object) {
            ((ObjectNode) written.get("function")).put("arguments", Json.written(object));
        }
        open.addLast(new Open(id, function.path("name").asString("")));
        return written;
    }

    /**
     * A call in Ollama's shape.
     *
     * @param arguments as the model wrote them; what is no JSON object is given as text
     */
    static ObjectNode call(String name, String arguments) {
        ObjectNode function = Json.object().put("name", name);
        try {
            function.set(
                    "arguments",
                    Json.object(arguments.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        } catch (RefusedRequest malformed) {
            function.put("arguments", arguments);
        }
        ObjectNode call = Json.object();
        call.set("function", function);
        return call;
    }
}
