package coop.sahkar.coordinator.gateway;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads requests in Ollama's shape by writing them anew in OpenAI's. Its defaults are kept where
 * they differ. Options about how a model is loaded are the workers' own affair and passed over;
 * what would change the answer and cannot be had is refused.
 */
final class OllamaRequests {
    /** What Ollama does when nothing is said. */
    private static final Map<String, Double> DEFAULTS =
            Map.of(
                    "temperature", 0.8,
                    "top_k", 40.0,
                    "top_p", 0.9,
                    "repeat_penalty", 1.1);

    private static final List<String> SAME =
            List.of(
                    "temperature",
                    "top_k",
                    "top_p",
                    "min_p",
                    "typical_p",
                    "repeat_penalty",
                    "presence_penalty",
                    "frequency_penalty",
                    "seed",
                    "stop");

    private OllamaRequests() {}

    /** Whether a request asks for nothing but that the model be there. */
    static boolean onlyLoads(Fields fields, boolean chat) {
        JsonNode input = fields.get(chat ? "messages" : "prompt");
        return input == null
                || (input.isArray() && input.isEmpty())
                || (input.isString() && input.stringValue().isEmpty());
    }

    /**
     * Reads a request.
     *
     * @throws RefusedRequest for the first fault found
     */
    static OpenAiRequest read(
            Fields fields, boolean chat, String model, String requestId, long drawnSeed) {
        refuse(fields, "suffix", "template", "images", "context", "logprobs", "top_logprobs");
        JsonNode think = fields.get("think");
        if (think != null && !(think.isBoolean() && !think.booleanValue())) {
            throw new RefusedRequest("think", "think is not supported; leave it out.");
        }
        if (!chat) {
            refuse(fields, "tools");
        }
        boolean plain = !chat && fields.flag("raw");
        ObjectNode written = Json.object();
        written.put("model", model);
        written.put("stream", fields.flag("stream", true));
        if (plain) {
            written.put("prompt", fields.text("prompt"));
        } else {
            written.set("messages", chat ? messages(fields) : asked(fields));
        }
        if (chat && fields.has("tools")) {
            written.set("tools", fields.get("tools"));
        }
        writeOptions(fields.inner("options"), written);
        writeFormat(fields.get("format"), written);
        return OpenAiRequest.checked(new Fields(written), !plain, requestId, drawnSeed);
    }

    private static void refuse(Fields fields, String... names) {
        for (String name : names) {
            JsonNode value = fields.get(name);
            boolean nothing =
                    value == null
                            || (value.isContainer() && value.isEmpty())
                            || (value.isBoolean() && !value.booleanValue())
                            || (value.isNumber() && value.asDouble(1) == 0)
                            || (value.isString() && value.stringValue().isEmpty());
            if (!nothing) {
                throw new RefusedRequest(name, name + " is not supported; leave it out.");
            }
        }
    }

    private static JsonNode messages(Fields fields) {
        JsonNode messages = fields.get("messages");
        if (messages == null || !messages.isArray()) {
            throw new RefusedRequest("messages", "messages must be an array of messages.");
        }
        for (int i = 0; i < messages.size(); i++) {
            if (messages.get(i) instanceof ObjectNode message) {
                JsonNode images = message.get("images");
                if (images != null && !images.isEmpty()) {
                    String at = "messages[" + i + "].images";
                    throw new RefusedRequest(at, at + " is not supported; leave it out.");
                }
            }
        }
        return OllamaCalls.rewritten((ArrayNode) messages);
    }

    private static ArrayNode asked(Fields fields) {
        ArrayNode messages = Json.object().putArray("messages");
        String system = fields.text("system");
        if (system != null && !system.isEmpty()) {
            messages.addObject().put("role", "system").put("content", system);
        }
        messages.addObject().put("role", "user").put("content", fields.text("prompt"));
        return messages;
    }

    private static void writeOptions(@Nullable Fields given, ObjectNode written) {
        Fields options = given == null ? new Fields(Json.object()) : given;
        refuseOptions(options);
        for (String name : SAME) {
            JsonNode value = options.get(name);
            Double absent = DEFAULTS.get(name);
            if (value != null) {
                written.set(name, value);
            } else if (absent != null) {
                written.put(name, absent);
            }
        }
        long window =
                options.whole("repeat_last_n", "options.repeat_last_n", -1, 1 << 20).orElse(64);
        if (window == 0) {
            List.of("repeat_penalty", "presence_penalty", "frequency_penalty")
                    .forEach(written::remove);
        } else {
            written.put("penalty_window", window);
        }
        long most =
                options.whole("num_predict", "options.num_predict", -2, Integer.MAX_VALUE)
                        .orElse(-1);
        if (most > 0) {
            written.put("max_tokens", most);
        }
    }

    private static void refuseOptions(Fields options) {
        for (String name : List.of("mirostat", "tfs_z")) {
            double off = name.equals("tfs_z") ? 1 : 0;
            if (options.number(name).orElse(off) != off) {
                throw new RefusedRequest(
                        "options." + name, "options.%s is not supported.".formatted(name));
            }
        }
    }

    private static void writeFormat(@Nullable JsonNode format, ObjectNode written) {
        if (format == null || (format.isString() && format.stringValue().isEmpty())) {
            return;
        }
        ObjectNode wanted = written.putObject("response_format");
        if (format.isObject()) {
            wanted.put("type", "json_schema");
            wanted.putObject("json_schema").set("schema", format);
        } else if (format.isString() && format.stringValue().equals("json")) {
            wanted.put("type", "json_object");
        } else {
            throw new RefusedRequest("format", "format must be \"json\" or a JSON schema.");
        }
    }
}
