package coop.sahkar.coordinator.gateway;

import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Which keywords of JSON schemas a grammar can hold to, and which may stand together. */
final class SchemaWords {
    /** Constraints that no grammar of ours expresses. */
    private static final List<String> UNSUPPORTED =
            List.of(
                    "pattern",
                    "multipleOf",
                    "oneOf",
                    "not",
                    "if",
                    "then",
                    "else",
                    "patternProperties",
                    "propertyNames",
                    "minProperties",
                    "maxProperties",
                    "uniqueItems",
                    "contains",
                    "minContains",
                    "maxContains",
                    "prefixItems",
                    "additionalItems",
                    "unevaluatedItems",
                    "unevaluatedProperties",
                    "dependentRequired",
                    "dependentSchemas",
                    "dependencies",
                    "contentEncoding",
                    "contentMediaType",
                    "$dynamicRef");

    /** Constraints that are honoured where they stand without one of {@link #ALONE}. */
    private static final Set<String> CONSTRAINTS =
            Set.of(
                    "properties",
                    "required",
                    "additionalProperties",
                    "items",
                    "minItems",
                    "maxItems",
                    "minLength",
                    "maxLength",
                    "format",
                    "minimum",
                    "maximum",
                    "exclusiveMinimum",
                    "exclusiveMaximum");

    private static final List<String> ALONE = List.of("$ref", "const", "enum", "anyOf", "allOf");

    private SchemaWords() {}

    /**
     * Refuses a schema's first keyword that cannot be honoured.
     *
     * @throws RefusedRequest naming it
     */
    static void check(ObjectNode schema, String at) {
        for (String word : UNSUPPORTED) {
            if (schema.has(word)) {
                throw new RefusedRequest(
                        at + "." + word, "%s.%s is not supported.".formatted(at, word));
            }
        }
        int alone = 0;
        for (String word : ALONE) {
            alone += schema.has(word) ? 1 : 0;
        }
        boolean crowded =
                alone > 0 && schema.propertyNames().stream().anyMatch(CONSTRAINTS::contains);
        if (alone > 1 || crowded) {
            throw new RefusedRequest(
                    at,
                    at
                            + " holds $ref, const, enum, anyOf or allOf beside other constraints; that is"
                            + " not supported.");
        }
    }

    /**
     * Refuses constraints that stand without a type.
     *
     * @throws RefusedRequest naming the first
     */
    static void requireUnbounded(ObjectNode schema, String at) {
        for (String word : schema.propertyNames()) {
            if (CONSTRAINTS.contains(word)) {
                throw new RefusedRequest(
                        at + "." + word, "%s.%s needs a type beside it.".formatted(at, word));
            }
        }
    }

    /**
     * Refuses bounds of numbers that are no integers.
     *
     * @throws RefusedRequest naming the first
     */
    static void requireNoBounds(ObjectNode schema, String at) {
        for (String word : List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")) {
            if (schema.has(word)) {
                throw new RefusedRequest(
                        at + "." + word,
                        "%s.%s is supported for integers only.".formatted(at, word));
            }
        }
    }

    /** Whether a value is of a JSON type. */
    static boolean is(JsonNode value, String type) {
        return switch (type) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isString();
            case "boolean" -> value.isBoolean();
            case "null" -> value.isNull();
            case "number" -> value.isNumber();
            case "integer" -> value.isIntegralNumber();
            default -> false;
        };
    }
}
