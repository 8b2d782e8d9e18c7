package coop.sahkar.coordinator.gateway;

import java.util.List;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;

/**
 * Parameters that clients know and this gateway cannot honour. Each is refused by name unless its
 * value asks for nothing; to ignore it in silence would change what the caller gets.
 */
final class Unsupported {
    /**
     * One parameter.
     *
     * @param name as in the request
     * @param harmless whether a value asks for nothing beyond what is done anyway
     */
    private record Parameter(String name, Predicate<JsonNode> harmless) {}

    private static final List<Parameter> BOTH =
            List.of(
                    new Parameter("best_of", Unsupported::isOne),
                    new Parameter("service_tier", oneOf("auto", "default")),
                    new Parameter("use_beam_search", Unsupported::isFalse),
                    new Parameter("prompt_logprobs", Unsupported::never));

    private static final List<Parameter> CHAT =
            List.of(
                    new Parameter("functions", Unsupported::isEmpty),
                    new Parameter("function_call", oneOf("none", "auto")),
                    new Parameter("audio", Unsupported::never),
                    new Parameter("modalities", Unsupported::isTextOnly),
                    new Parameter("prediction", Unsupported::never),
                    new Parameter("reasoning_effort", oneOf("none")),
                    new Parameter("verbosity", Unsupported::never),
                    new Parameter("web_search_options", Unsupported::never),
                    new Parameter("store", Unsupported::isFalse));

    private static final List<Parameter> COMPLETION =
            List.of(
                    new Parameter("suffix", v -> v.isString() && v.stringValue().isEmpty()),
                    new Parameter("echo", Unsupported::isFalse),
                    new Parameter("top_logprobs", Unsupported::isZero),
                    new Parameter("tools", Unsupported::isEmpty),
                    new Parameter("tool_choice", oneOf("none", "auto")),
                    new Parameter("functions", Unsupported::isEmpty));

    private static final List<Parameter> RESPONSES =
            List.of(
                    new Parameter("include", Unsupported::isEmpty),
                    new Parameter("background", Unsupported::isFalse),
                    new Parameter("conversation", Unsupported::never),
                    new Parameter("prompt", Unsupported::never),
                    new Parameter("reasoning", Unsupported::isEmpty),
                    new Parameter("logprobs", Unsupported::isFalse),
                    new Parameter("top_logprobs", Unsupported::isZero),
                    new Parameter("n", Unsupported::isOne),
                    new Parameter("max_tokens", Unsupported::never),
                    new Parameter("max_completion_tokens", Unsupported::never),
                    new Parameter("response_format", Unsupported::never),
                    new Parameter("functions", Unsupported::isEmpty),
                    new Parameter("service_tier", oneOf("auto", "default")),
                    new Parameter("truncation", oneOf("disabled")));

    private Unsupported() {}

    /**
     * The same for {@code /v1/responses}.
     *
     * @throws RefusedRequest naming the parameter
     */
    static void checkResponses(Fields fields) {
        refuse(fields, RESPONSES);
    }

    /**
     * Refuses what cannot be honoured.
     *
     * @throws RefusedRequest naming the parameter
     */
    static void check(Fields fields, boolean chat) {
        refuse(fields, BOTH);
        refuse(fields, chat ? CHAT : COMPLETION);
    }

    private static void refuse(Fields fields, List<Parameter> parameters) {
        for (Parameter parameter : parameters) {
            JsonNode value = fields.get(parameter.name());
            if (value != null && !parameter.harmless().test(value)) {
                throw new RefusedRequest(
                        parameter.name(),
                        "%s is not supported with this value; leave it out."
                                .formatted(parameter.name()));
            }
        }
    }

    private static Predicate<JsonNode> oneOf(String... values) {
        List<String> harmless = List.of(values);
        return v -> v.isString() && harmless.contains(v.stringValue());
    }

    private static boolean never(JsonNode value) {
        return value.isNull();
    }

    private static boolean isFalse(JsonNode value) {
        return value.isBoolean() && !value.booleanValue();
    }

    private static boolean isEmpty(JsonNode value) {
        return value.isContainer() && value.isEmpty();
    }

    private static boolean isZero(JsonNode value) {
        return value.isNumber() && value.asInt(1) == 0;
    }

    private static boolean isOne(JsonNode value) {
        return value.isIntegralNumber() && value.canConvertToInt() && value.intValue() == 1;
    }

    private static boolean isTextOnly(JsonNode modalities) {
        return modalities.isArray()
                && modalities.size() == 1
                && modalities.get(0).isString()
                && modalities.get(0).stringValue().equals("text");
    }
}
