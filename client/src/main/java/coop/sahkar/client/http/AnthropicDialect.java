package coop.sahkar.client.http;

import coop.sahkar.client.ChatMessage;
import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceRequest.Input;
import coop.sahkar.client.json.Json;
import coop.sahkar.client.provider.Call;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Anthropic's Messages API.
 *
 * @param usualLength tokens asked for when the caller names no length, which this API demands
 */
record AnthropicDialect(String key, int usualLength) implements Dialect {
    private static final String VERSION = "2023-06-01";

    @Override
    public String path(Call call) {
        return "messages";
    }

    @Override
    public SortedMap<String, String> headers() {
        SortedMap<String, String> headers = new TreeMap<>();
        headers.put("anthropic-version", VERSION);
        if (!key.isEmpty()) {
            headers.put("x-api-key", key);
        }
        return headers;
    }

    @Override
    public Reading reading(String service) {
        return new AnthropicReading(service);
    }

    @Override
    public String body(Call call) {
        GenerationOptions options = call.request().options();
        List<ChatMessage> messages =
                switch (call.request().input()) {
                    case Input.Conversation(List<ChatMessage> said) -> said;
                    case Input.Prompt(String text) -> List.of(ChatMessage.user(text));
                };
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        body.put("model", call.model());
        body.put("max_tokens", call.maxTokens() > 0 ? call.maxTokens() : usualLength);
        String system =
                messages.stream()
                        .filter(m -> m.role() == ChatMessage.Role.SYSTEM)
                        .map(ChatMessage::content)
                        .collect(Collectors.joining("\n\n"));
        if (!system.isEmpty()) {
            body.put("system", system);
        }
        body.put("messages", turns(messages, call.delivered()));
        body.put("stream", true);
        // This API takes 0 to 1, and newer models take only one of the two.
        body.put("temperature", Math.min(1, options.temperature()));
        if (options.topP() != 1) {
            body.put("top_p", options.topP());
        }
        if (options.topK() > 0) {
            body.put("top_k", options.topK());
        }
        if (!options.stop().isEmpty()) {
            body.put("stop_sequences", options.stop());
        }
        if (!call.request().tools().isEmpty()) {
            body.put("tools", call.request().tools().stream().map(AnthropicDialect::tool).toList());
        }
        return Json.write(body);
    }

    private static List<Object> turns(List<ChatMessage> messages, String delivered) {
        List<Object> turns = new ArrayList<>();
        for (ChatMessage message : messages) {
            switch (message.role()) {
                case SYSTEM -> {}
                case USER -> turns.add(turn("user", parts(message)));
                case ASSISTANT -> turns.add(turn("assistant", parts(message)));
                case TOOL -> turns.add(turn("user", List.of(result(message))));
            }
        }
        if (!delivered.isEmpty()) {
            // This API refuses a beginning that ends with blanks.
            turns.add(turn("assistant", List.of(text(delivered.stripTrailing()))));
        }
        return turns;
    }

    private static Map<String, Object> turn(String role, List<Object> parts) {
        Map<String, Object> turn = new LinkedHashMap<>();
        turn.put("role", role);
        turn.put("content", parts);
        return turn;
    }

    private static List<Object> parts(ChatMessage message) {
        List<Object> parts = new ArrayList<>();
        message.images().forEach(image -> parts.add(image(image)));
        if (!message.content().isEmpty()) {
            parts.add(text(message.content()));
        }
        for (var call : message.toolCalls()) {
            Map<String, Object> use = new LinkedHashMap<>();
            use.put("type", "tool_use");
            use.put("id", call.id());
            use.put("name", call.name());
            use.put("input", OpenAiDialect.schema(call.arguments(), "arguments of a call"));
            parts.add(use);
        }
        return parts;
    }

    private static Object text(String text) {
        return Map.of("type", "text", "text", text);
    }

    private static Object result(ChatMessage message) {
        return Map.of(
                "type",
                "tool_result",
                "tool_use_id",
                message.toolCallId(),
                "content",
                message.content());
    }

    private static Object image(String url) {
        int comma = url.indexOf(";base64,");
        Object source =
                url.startsWith("data:") && comma > 0
                        ? Map.of(
                                "type",
                                "base64",
                                "media_type",
                                url.substring("data:".length(), comma),
                                "data",
                                url.substring(comma + ";base64,".length()))
                        : Map.of("type", "url", "url", url);
        return Map.of("type", "image", "source", source);
    }

    private static Object tool(coop.sahkar.client.Tool tool) {
        return Map.of(
                "name",
                tool.name(),
                "description",
                tool.description(),
                "input_schema",
                OpenAiDialect.schema(tool.parameters(), "parameters of " + tool.name()));
    }
}
