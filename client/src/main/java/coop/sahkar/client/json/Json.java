package coop.sahkar.client.json;

import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;

/**
 * A JSON value, read with bounds on depth and size. Asking for what is not there gives an empty
 * value, so that a path through unknown data is one expression.
 *
 * @param value a {@code Map}, {@code List}, {@code String}, {@code Number}, {@code Boolean} or null
 */
public record Json(@Nullable Object value) {
    private static final int DEPTH_AT_MOST = 64;
    private static final int STRING_AT_MOST = 16 << 20;
    private static final Json NOTHING = new Json(null);

    private static final JsonFactory FACTORY =
            JsonFactory.builder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(DEPTH_AT_MOST)
                                    .maxStringLength(STRING_AT_MOST)
                                    .build())
                    .build();

    /** Reads one value and nothing behind it; empty if the text is no JSON. */
    public static Optional<Json> parse(String text) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
            if (parser.nextToken() == null) {
                return Optional.empty();
            }
            Object value = read(parser);
            return parser.nextToken() == null ? Optional.of(new Json(value)) : Optional.empty();
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    /** The text of a value. */
    public static String write(@Nullable Object value) {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = FACTORY.createGenerator(ObjectWriteContext.empty(), text)) {
            write(out, value);
        }
        return text.toString();
    }

    /** A member of an object. */
    public Json get(String name) {
        return value instanceof Map<?, ?> map ? new Json(map.get(name)) : NOTHING;
    }

    /** An element of an array. */
    public Json get(int index) {
        return value instanceof List<?> list && index < list.size()
                ? new Json(list.get(index))
                : NOTHING;
    }

    /** The elements of an array; none of anything else. */
    public List<Json> elements() {
        return value instanceof List<?> list ? list.stream().map(Json::new).toList() : List.of();
    }

    /** Whether there is something, and not null. */
    public boolean isPresent() {
        return value != null;
    }

    public boolean isObject() {
        return value instanceof Map;
    }

    public boolean isTrue() {
        return Boolean.TRUE.equals(value);
    }

    /** A string as it is, a number or truth value as text; else empty. */
    public String text() {
        return value instanceof String || value instanceof Number || value instanceof Boolean
                ? String.valueOf(value)
                : "";
    }

    /** A number, cut to an int; 0 of anything else. */
    public int integer() {
        return value instanceof Number number
                ? Math.clamp(number.longValue(), Integer.MIN_VALUE, Integer.MAX_VALUE)
                : 0;
    }

    private static @Nullable Object read(JsonParser parser) {
        return switch (parser.currentToken()) {
            case START_OBJECT -> {
                Map<String, @Nullable Object> map = new LinkedHashMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    map.put(name, read(parser));
                }
                yield map;
            }
            case START_ARRAY -> {
                List<@Nullable Object> list = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    list.add(read(parser));
                }
                yield list;
            }
            case VALUE_STRING -> parser.getString();
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getNumberValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL,
                    NOT_AVAILABLE,
                    END_OBJECT,
                    END_ARRAY,
                    PROPERTY_NAME,
                    VALUE_EMBEDDED_OBJECT ->
                    null;
        };
    }

    private static void write(JsonGenerator out, @Nullable Object value) {
        switch (value) {
            case Map<?, ?> map -> {
                out.writeStartObject();
                map.forEach((name, member) -> {
                    out.writeName(String.valueOf(name));
                    write(out, member);
                });
                out.writeEndObject();
            }
            case Iterable<?> list -> {
                out.writeStartArray();
                list.forEach(element -> write(out, element));
                out.writeEndArray();
            }
            case Json json -> write(out, json.value());
            case String text -> out.writeString(text);
            case Boolean truth -> out.writeBoolean(truth);
            case Integer number -> out.writeNumber(number);
            case Long number -> out.writeNumber(number);
            case Float number -> out.writeNumber(number);
            case Number number -> out.writeNumber(number.doubleValue());
            case null -> out.writeNull();
            default -> out.writeString(value.toString());
        }
    }
}
