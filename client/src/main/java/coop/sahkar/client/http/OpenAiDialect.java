package coop.sahkar.client.http;

import coop.sahkar.client.AnswerFormat;
import coop.sahkar.client.ChatMessage;
import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.InferenceRequest.Input;
import coop.sahkar.client.json.Json;
import coop.sahkar.client.provider.Call;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * OpenAI's chat completions and completions, as many services speak them.
 *
 * @param key empty: none is sent
 * @param lengthName {@code max_tokens}, or what a service calls it instead
 * @param streamUsage whether the service is asked to count at the end of a stream
 * @param continuation how it goes on with a begun answer
 * @param parameters options it takes beyond the common ones
 */
record OpenAiDialect(
        String key,
        SortedMap<String, String> extraHeaders,
        String lengthName,
        boolean streamUsage,
        Continuation continuation,
        java.util.Set<String> parameters)
        implements Dialect {

    @Override
    public String path(Call call) {
        return switch (call.request().input()) {
            case Input.Prompt _ -> "completions";
            case Input.Conversation _ -> "chat/completions";
        };
    }

    @Override
    public SortedMap<String, String> headers() {
        SortedMap<String, String> headers = new TreeMap<>(extraHeaders);
        if (!key.isEmpty()) {
            headers.put("authorization", "Bearer " + key);
        }
        return headers;
    }

    @Override
    public Reading reading(String service) {
        return new OpenAiReading(service);
    }

    @Override
    public String body(Call call) {
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        body.put("model", call.model());
        switch (call.request().input()) {
            case Input.Prompt(String text) -> body.put("prompt", text + call.delivered());
            case Input.Conversation(List<ChatMessage> messages) ->
                    body.put("messages", messages(messages, call.delivered(), body));
        }
        body.put("stream", true);
        if (streamUsage) {
            body.put("stream_options", Map.of("include_usage", true));
        }
        if (call.maxTokens() > 0) {
            body.put(lengthName, call.maxTokens());
        }
        options(body, call);
        if (!call.request().tools().isEmpty()) {
            body.put("tools", call.request().tools().stream().map(OpenAiDialect::tool).toList());
        }
        format(body, call.request());
        return Json.write(body);
    }

    private void options(Map<String, @Nullable Object> body, Call call) {
        GenerationOptions options = call.request().options();
        body.put("temperature", options.temperature());
        body.put("top_p", options.topP());
        if (!options.stop().isEmpty()) {
            body.put("stop", options.stop());
        }
        Map<String, Object> special = new LinkedHashMap<>();
        special.put("seed", call.seed());
        special.put("top_k", options.topK());
        special.put("min_p", options.minP());
        special.put("typical_p", options.typicalP());
        special.put("repetition_penalty", options.repetitionPenalty());
        special.put("frequency_penalty", options.frequencyPenalty());
        special.put("presence_penalty", options.presencePenalty());
        special.put("penalty_window", options.penaltyWindow());
        special.put("logit_bias", options.logitBias());
        options.parameters().stream()
                .filter(parameters::contains)
                .forEach(name -> body.put(name, special.get(name)));
    }

    private List<Object> messages(
            List<ChatMessage> messages, String delivered, Map<String, @Nullable Object> body) {
        List<Object> all = new ArrayList<>();
        messages.forEach(message -> all.add(message(message)));
        if (!delivered.isEmpty()) {
            Map<String, Object> begun = new LinkedHashMap<>();
            begun.put("role", "assistant");
            begun.put("content", delivered);
            if (continuation == Continuation.PREFIX_FLAG) {
                begun.put("prefix", true);
            }
            if (continuation == Continuation.CONTINUE_FLAG) {
                body.put("continue_final_message", true);
                body.put("add_generation_prompt", false);
            }
            all.add(begun);
        }
        return all;
    }

    private static Map<String, @Nullable Object> message(ChatMessage message) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("role", message.role().wireName());
        json.put("content", content(message));
        if (!message.toolCallId().isEmpty()) {
            json.put("tool_call_id", message.toolCallId());
        }
        if (!message.toolCalls().isEmpty()) {
            json.put(
                    "tool_calls",
                    message.toolCalls().stream()
                            .map(call ->
                                    Map.of(
                                            "id",
                                            call.id(),
                                            "type",
                                            "function",
                                            "function",
                                            Map.of(
                                                    "name",
                                                    call.name(),
                                                    "arguments",
                                                    call.arguments())))
                            .toList());
        }
        return json;
    }

    private static @Nullable Object content(ChatMessage message) {
        if (message.images().isEmpty()) {
            boolean onlyCalls = message.content().isEmpty() && !message.toolCalls().isEmpty();
            return onlyCalls ? null : message.content();
        }
        List<Object> parts = new ArrayList<>();
        parts.add(Map.of("type", "text", "text", message.content()));
        for (String image : message.images()) {
            parts.add(Map.of("type", "image_url", "image_url", Map.of("url", image)));
        }
        return parts;
    }

    private static Map<String, Object> tool(coop.sahkar.client.Tool tool) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", tool.name());
        function.put("description", tool.description());
        function.put("parameters", schema(tool.parameters(), "parameters of " + tool.name()));
        return Map.of("type", "function", "function", function);
    }

    private static void format(Map<String, @Nullable Object> body, InferenceRequest request) {
        switch (request.format()) {
            case AnswerFormat.Text() -> {}
            case AnswerFormat.JsonObject() ->
                    body.put("response_format", Map.of("type", "json_object"));
            case AnswerFormat.JsonSchema(String name, String schema) -> {
                Map<String, Object> wanted = new LinkedHashMap<>();
                wanted.put("name", name);
                wanted.put("schema", schema(schema, "schema " + name));
                wanted.put("strict", true);
                body.put("response_format", Map.of("type", "json_schema", "json_schema", wanted));
            }
        }
    }

    /** A schema the caller wrote as text. */
    static Json schema(String text, String what) {
        return Json.parse(text)
                .filter(Json::isObject)
                .orElseThrow(() ->
                        new IllegalArgumentException(
                                "the %s must be a JSON object".formatted(what)));
    }
}
