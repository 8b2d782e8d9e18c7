package coop.sahkar.coordinator.gateway;

import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes the functions of a request to {@code /v1/responses} anew as a chat's: there they stand one
 * level deeper.
 */
final class ResponseTools {
    private static final List<String> PARTS =
            List.of("name", "description", "parameters", "strict");

    private ResponseTools() {}

    static void write(Fields asked, ObjectNode chat) {
        JsonNode tools = asked.get("tools");
        if (tools != null) {
            chat.set("tools", tools.isArray() ? deeper(tools) : tools);
        }
        JsonNode choice = asked.get("tool_choice");
        if (choice != null) {
            chat.set("tool_choice", choice instanceof ObjectNode one ? deeper(one) : choice);
        }
        JsonNode parallel = asked.get("parallel_tool_calls");
        if (parallel != null) {
            chat.set("parallel_tool_calls", parallel);
        }
    }

    private static ArrayNode deeper(JsonNode tools) {
        ArrayNode written = Json.object().putArray("tools");
        for (JsonNode tool : tools) {
            written.add(tool instanceof ObjectNode object ? deeper(object) : tool);
        }
        return written;
    }

    private static ObjectNode deeper(ObjectNode tool) {
        ObjectNode written = Json.object();
        written.set("type", tool.get("type"));
        ObjectNode function = written.putObject("function");
        for (String part : PARTS) {
            JsonNode value = tool.get(part);
            if (value != null) {
                function.set(part, value);
            }
        }
        return written;
    }
}
