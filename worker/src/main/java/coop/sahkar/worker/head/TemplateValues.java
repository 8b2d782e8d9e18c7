package coop.sahkar.worker.head;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

/** Conversations and functions as the values that chat templates expect. */
final class TemplateValues {
    /** Levels of arrays and objects in a schema or in arguments; as deep as templates print. */
    private static final int MAX_DEPTH = 30;

    private static final JsonMapper JSON =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .streamReadConstraints(
                                            StreamReadConstraints.builder()
                                                    .maxNestingDepth(MAX_DEPTH)
                                                    .build())
                                    .build())
                    .build();

    private TemplateValues() {}

    /**
     * The messages. Ids of calls are numbered anew, with nine characters: the templates of one
     * family take no others.
     */
    static List<Map<String, Object>> messages(List<ChatTurn> turns) {
        Map<String, String> ids = new HashMap<>();
        Map<String, String> names = new HashMap<>();
        List<Map<String, Object>> messages = new ArrayList<>(turns.size());
        for (ChatTurn turn : turns) {
            Map<String, Object> message = new LinkedHashMap<>();
            message.put("role", turn.role());
            message.put("content", turn.content());
            if (!turn.calls().isEmpty()) {
                List<Map<String, Object>> calls = new ArrayList<>();
                for (ChatTurn.Call call : turn.calls()) {
                    ids.put(call.id(), "call%05d".formatted(ids.size()));
                    names.put(call.id(), call.name());
                    calls.add(call(call, ids.get(call.id())));
                }
                message.put("tool_calls", calls);
            }
            if (turn.role().equals("tool")) {
                message.put("tool_call_id", ids.getOrDefault(turn.callId(), "call99999"));
                message.put("name", names.getOrDefault(turn.callId(), ""));
            }
            messages.add(message);
        }
        return messages;
    }

    private static Map<String, Object> call(ChatTurn.Call call, String id) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", call.name());
        function.put("arguments", parsed(call.arguments()));
        Map<String, Object> whole = new LinkedHashMap<>();
        whole.put("id", id);
        whole.put("type", "function");
        whole.put("function", function);
        return whole;
    }

    /** The functions. */
    static List<Map<String, Object>> tools(List<Tool> tools) {
        List<Map<String, Object>> values = new ArrayList<>();
        for (Tool tool : tools) {
            Map<String, Object> whole = new LinkedHashMap<>();
            whole.put("type", "function");
            whole.put("function", function(tool));
            values.add(whole);
        }
        return values;
    }

    /** A function's name, description and parameters. */
    static Map<String, Object> function(Tool tool) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", tool.name());
        function.put("description", tool.description());
        function.put(
                "parameters",
                tool.parameters().isEmpty() ? Map.of("type", "object") : parsed(tool.parameters()));
        return function;
    }

    /** JSON as maps, lists and so on; what is no JSON stays text, as the model wrote it. */
    private static Object parsed(String json) {
        try {
            Object value = JSON.readValue(json, Object.class);
            return value == null ? json : value;
        } catch (JacksonException malformed) {
            return json;
        }
    }
}
