package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads requests within bounds and writes answers. Thread-safe. */
final class Json {
    private static final JsonMapper MAPPER =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .streamReadConstraints(
                                            StreamReadConstraints.builder()
                                                    .maxNestingDepth(GatewayLimits.MAX_JSON_DEPTH)
                                                    .maxNameLength(
                                                            GatewayLimits.MAX_JSON_NAME_CHARS)
                                                    .maxNumberLength(
                                                            GatewayLimits.MAX_JSON_NUMBER_CHARS)
                                                    .maxStringLength(
                                                            GatewayLimits.MAX_REQUEST_BYTES)
                                                    .build())
                                    .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    .build())
                    .build();

    private Json() {}

    /**
     * Reads a request's body.
     *
     * @throws RefusedRequest if it is not one JSON object; the sentence quotes nothing of it
     */
    static ObjectNode object(byte[] body) {
        if (body.length == 0) {
            throw new RefusedRequest("", "The request has no body; send a JSON object.");
        }
        JsonNode node;
        try {
            node = MAPPER.readTree(body);
        } catch (JacksonException malformed) {
            throw new RefusedRequest("", malformedSentence(malformed));
        }
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw new RefusedRequest("", "The request's body must be a JSON object.");
    }

    private static String malformedSentence(JacksonException malformed) {
        var where = malformed.getLocation();
        return where == null || where.getLineNr() < 1
                ? "The request's body is not valid JSON."
                : "The request's body is not valid JSON, or nests or repeats too much, at line %d column %d."
                        .formatted(where.getLineNr(), where.getColumnNr());
    }

    /** An empty object to fill in. */
    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /** An empty array to fill in. */
    static ArrayNode array() {
        return MAPPER.createArrayNode();
    }

    /** A text as a value. */
    static JsonNode text(String text) {
        return MAPPER.getNodeFactory().stringNode(text);
    }

    /** A value as JSON, without spaces. */
    static String written(JsonNode value) {
        return MAPPER.writeValueAsString(value);
    }

    /** The same JSON without spaces; what is none, as it is. */
    static String compact(String json) {
        try {
            return written(MAPPER.readTree(json));
        } catch (JacksonException _) {
            return json;
        }
    }

    /** An answer in JSON. */
    static HttpResponse response(int status, Object body) {
        return HttpResponse.of(
                ResponseHeaders.builder(status).contentType(MediaType.JSON_UTF_8).build(),
                HttpData.wrap(bytes(body)));
    }

    /** An answer as UTF-8. */
    static byte[] bytes(Object answer) {
        return MAPPER.writeValueAsBytes(answer);
    }
}
