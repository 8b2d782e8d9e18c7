package coop.sahkar.coordinator.gateway;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads {@code response_format}: what form the answer must have, as a grammar. */
final class ResponseFormat {
    private static final String FIELD = "response_format";

    private ResponseFormat() {}

    /**
     * The grammar for a format.
     *
     * @return empty if any text will do
     * @throws RefusedRequest naming what cannot be had
     */
    static String read(@Nullable Fields format) {
        if (format == null) {
            return "";
        }
        JsonNode type = format.get("type");
        String name = type == null ? "" : Fields.text(type, FIELD + ".type");
        return switch (name) {
            case "text" -> "";
            case "json_object" -> SchemaGrammar.anyObject();
            case "json_schema" -> schema(format);
            default ->
                    throw new RefusedRequest(
                            FIELD + ".type",
                            FIELD + ".type must be text, json_object or json_schema.");
        };
    }

    private static String schema(Fields format) {
        String at = FIELD + ".json_schema";
        Fields inner = format.inner("json_schema");
        JsonNode schema = inner == null ? null : inner.get("schema");
        if (schema == null) {
            throw new RefusedRequest(at + ".schema", at + ".schema is missing.");
        }
        return SchemaGrammar.of(schema, at + ".schema");
    }
}
