package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Limits;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes of a JSON schema a grammar whose every sentence is a JSON text that validates. Objects hold
 * the properties that are declared, in their order, and no others; what a grammar cannot hold to is
 * refused by name, annotations are passed over.
 */
final class SchemaGrammar {
    private static final Map<String, String> FORMATS =
            Map.of(
                    "date",
                    "\"\\\"\" [12] [0-9]{3} \"-\" (\"0\" [1-9] | \"1\" [0-2]) \"-\" day \"\\\"\"",
                    "time",
                    "\"\\\"\" clock \"\\\"\"",
                    "date-time",
                    "\"\\\"\" [12] [0-9]{3} \"-\" (\"0\" [1-9] | \"1\" [0-2]) \"-\" day \"T\" clock"
                            + " \"\\\"\"",
                    "uuid",
                    "\"\\\"\" hex{8} \"-\" hex{4} \"-\" hex{4} \"-\" hex{4} \"-\" hex{12} \"\\\"\"");

    /** Rules that schemas share; each is put in where it is used. */
    private static final Map<String, String> SHARED =
            Map.ofEntries(
                    Map.entry("comma", "\",\" \" \"?"),
                    Map.entry("colon", "\":\" \" \"?"),
                    Map.entry("hex", "[0-9a-f]"),
                    Map.entry("day", "\"0\" [1-9] | \"1\" [0-9] | \"2\" [0-8]"),
                    Map.entry(
                            "clock",
                            "(\"0\" [0-9] | \"1\" [0-9] | \"2\" [0-3]) \":\" [0-5] [0-9] \":\" [0-5]"
                                    + " [0-9] \"Z\""),
                    Map.entry(
                            "char",
                            "[^\"\\\\\\x00-\\x1F\\x7F] | \"\\\\\" ([\"\\\\/bfnrt] | \"u\" unit)"),
                    // Four hexadecimal digits, but no half of a surrogate pair.
                    Map.entry("unit", "[0-9a-cA-CeEfF] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2}"),
                    Map.entry("string", "\"\\\"\" char* \"\\\"\""),
                    Map.entry("integer", "\"-\"? (\"0\" | [1-9] [0-9]{0,14})"),
                    Map.entry(
                            "number",
                            "\"-\"? (\"0\" | [1-9] [0-9]{0,14}) (\".\" [0-9]{1,15})? ([eE] [-+]?"
                                    + " [0-9]{1,2})?"),
                    Map.entry("boolean", "\"true\" | \"false\""),
                    Map.entry("null", "\"null\""),
                    Map.entry("value", "object | array | string | number | boolean | null"),
                    Map.entry("object", "\"{\" (member (comma member)*)? \"}\""),
                    Map.entry("member", "string colon value"),
                    Map.entry("array", "\"[\" (value (comma value)*)? \"]\""));

    private static final Set<String> TYPES =
            Set.of("object", "array", "string", "number", "integer", "boolean", "null");

    private final JsonNode whole;
    private final String top;
    private final String prefix;
    private final Map<String, String> rules = new LinkedHashMap<>();
    private final Map<String, String> references = new LinkedHashMap<>();
    private int depth;
    private final Set<String> unfolding = new LinkedHashSet<>();

    private SchemaGrammar(JsonNode whole, String top, String prefix) {
        this.whole = whole;
        this.top = top;
        this.prefix = prefix;
    }

    /** A grammar for any JSON object. */
    static String anyObject() {
        SchemaGrammar made = new SchemaGrammar(Json.object(), "", "");
        made.rules.put("root", made.use("object"));
        return made.text();
    }

    /**
     * A grammar for a schema.
     *
     * @param at the schema's place in the request, for what is refused
     * @throws RefusedRequest naming the keyword that cannot be honoured
     */
    static String of(JsonNode schema, String at) {
        return of(schema, at, "");
    }

    /** The same with rules that can stand beside those of another schema's, by another prefix. */
    static String of(JsonNode schema, String at, String prefix) {
        SchemaGrammar made = new SchemaGrammar(schema, at, prefix);
        made.rules.put("root", "");
        made.rules.put("root", made.rule(schema, at));
        String text = made.text();
        if (text.length() > Limits.MAX_GRAMMAR_CHARS) {
            throw new RefusedRequest(at, at + " makes too large a grammar; ask for less.");
        }
        return text;
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        rules.forEach((name, body) -> text.append(name).append(" ::= ").append(body).append('\n'));
        return text.toString();
    }

    /** Puts a shared rule in, and what it needs. */
    private String use(String name) {
        String body = SHARED.get(name);
        if (body != null && rules.putIfAbsent(name, body) == null) {
            needs(body);
        }
        return name;
    }

    private void needs(String body) {
        String bare = body.replaceAll("\"(\\\\.|[^\"\\\\])*\"|\\[(\\\\.|[^\\]\\\\])*\\]", " ");
        for (String word : bare.split("[^a-z]+", -1)) {
            use(word);
        }
    }

    private String add(String body, String at) {
        if (rules.size() >= GatewayLimits.MAX_SCHEMA_RULES) {
            throw new RefusedRequest(top, at + ": the schema has too many parts; ask for less.");
        }
        String name = prefix + "r" + rules.size();
        rules.put(name, body);
        return name;
    }

    /** The name of a rule for a schema. */
    private String rule(JsonNode schema, String at) {
        if (depth >= GatewayLimits.MAX_SCHEMA_DEPTH) {
            throw new RefusedRequest(top, top + " nests too deep; ask for less.");
        }
        depth++;
        String name = unfolded(schema, at);
        depth--;
        return name;
    }

    private String unfolded(JsonNode schema, String at) {
        if (schema.isBoolean() && schema.booleanValue()) {
            return use("value");
        }
        if (!(schema instanceof ObjectNode object)) {
            throw new RefusedRequest(at, at + " must be a schema, an object.");
        }
        SchemaWords.check(object, at);
        Fields fields = new Fields(object);
        if (fields.has("$ref")) {
            return reference(Fields.text(object.get("$ref"), at + ".$ref"), at);
        }
        if (object.has("const") || fields.has("enum")) {
            return add(choices(object, types(fields, at), at), at);
        }
        for (String some : List.of("anyOf", "allOf")) {
            if (fields.has(some)) {
                return add(alternatives(object.get(some), some, at), at);
            }
        }
        List<String> types = types(fields, at);
        if (types.isEmpty()) {
            SchemaWords.requireUnbounded(object, at);
            return use("value");
        }
        List<String> bodies = new ArrayList<>();
        types.forEach(type -> bodies.add(ofType(type, fields, at)));
        return bodies.size() == 1 ? bodies.getFirst() : add(String.join(" | ", bodies), at);
    }

    private String reference(String pointer, String at) {
        String known = references.get(pointer);
        if (known != null) {
            if (unfolding.contains(pointer)) {
                throw new RefusedRequest(
                        at + ".$ref", at + ".$ref goes round in a circle that holds nothing.");
            }
            return known;
        }
        JsonNode target = target(pointer, at);
        // The rule has its name before its body, so that a schema may hold itself.
        String name = add("", at);
        references.put(pointer, name);
        unfolding.add(pointer);
        String body = rule(target, top + pointer.substring(1).replace('/', '.'));
        unfolding.remove(pointer);
        rules.put(name, body);
        return name;
    }

    private JsonNode target(String pointer, String at) {
        String place = at + ".$ref";
        if (!pointer.startsWith("#")) {
            throw new RefusedRequest(
                    place, place + " must point into the schema, such as #/$defs/a.");
        }
        JsonNode target = whole;
        for (String step : pointer.substring(1).split("/", -1)) {
            if (!step.isEmpty()) {
                target = target.path(step.replace("~1", "/").replace("~0", "~"));
            }
        }
        if (target.isMissingNode()) {
            throw new RefusedRequest(place, place + " points to nothing.");
        }
        return target;
    }

    private static String choices(ObjectNode object, List<String> types, String at) {
        List<JsonNode> values = new ArrayList<>();
        if (object.has("const")) {
            values.add(object.get("const"));
        } else if (object.get("enum").isArray()) {
            object.get("enum").forEach(values::add);
        }
        List<String> literals = new ArrayList<>();
        for (JsonNode value : values) {
            if (types.isEmpty() || types.stream().anyMatch(type -> SchemaWords.is(value, type))) {
                literals.add(literal(value));
            }
        }
        if (literals.isEmpty()) {
            throw new RefusedRequest(
                    at + ".enum", at + ".enum must list at least one value of the type.");
        }
        return String.join(" | ", literals);
    }

    private String alternatives(JsonNode schemas, String word, String at) {
        String place = at + "." + word;
        if (!schemas.isArray() || schemas.isEmpty()) {
            throw new RefusedRequest(place, place + " must list at least one schema.");
        }
        if (word.equals("allOf") && schemas.size() > 1) {
            throw new RefusedRequest(
                    place, place + " with several schemas is not supported; write one.");
        }
        List<String> names = new ArrayList<>();
        for (int i = 0; i < schemas.size(); i++) {
            names.add(rule(schemas.get(i), place + "[" + i + "]"));
        }
        return String.join(" | ", names);
    }

    private static List<String> types(Fields fields, String at) {
        JsonNode node = fields.get("type");
        List<String> types = new ArrayList<>();
        if (node == null) {
            if (fields.has("properties")) {
                types.add("object");
            } else if (fields.has("items")) {
                types.add("array");
            }
            return types;
        }
        if (node.isArray()) {
            node.forEach(one -> types.add(one.isString() ? one.stringValue() : ""));
        } else {
            types.add(node.isString() ? node.stringValue() : "");
        }
        if (types.isEmpty() || !TYPES.containsAll(types)) {
            throw new RefusedRequest(at + ".type", at + ".type must name JSON types.");
        }
        return types;
    }

    private String ofType(String type, Fields fields, String at) {
        return switch (type) {
            case "object" -> object(fields, at);
            case "array" -> array(fields, at);
            case "string" -> string(fields, at);
            case "integer" -> integer(fields, at);
            case "number" -> {
                SchemaWords.requireNoBounds(fields.object(), at);
                yield use(type);
            }
            default -> use(type);
        };
    }

    private String object(Fields fields, String at) {
        Fields properties = fields.inner("properties");
        JsonNode more = fields.get("additionalProperties");
        if (more != null && !more.isBoolean() && !more.isObject()) {
            throw new RefusedRequest(
                    at + ".additionalProperties",
                    at + ".additionalProperties must be true, false or a schema.");
        }
        Set<String> required = required(fields.get("required"), properties, at);
        if (properties == null || properties.object().isEmpty()) {
            if (more != null && more.isBoolean() && !more.booleanValue()) {
                return add("\"{}\"", at);
            }
            String value =
                    more == null || more.isBoolean()
                            ? use("value")
                            : held(more, at + ".additionalProperties");
            return add("\"{\" (" + pairs(value) + ")? \"}\"", at);
        }
        String rest = "";
        String first = "";
        List<Map.Entry<String, JsonNode>> all =
                new ArrayList<>(properties.object().properties()).reversed();
        for (Map.Entry<String, JsonNode> property : all) {
            String place = at + ".properties." + property.getKey();
            String pair =
                    literal(Json.text(property.getKey()))
                            + " "
                            + use("colon")
                            + " "
                            + held(property.getValue(), place);
            boolean must = required.contains(property.getKey());
            first = must ? pair + " " + rest : pair + " " + rest + " | " + emptyOr(first);
            first = add(first, place);
            String behind = use("comma") + " " + pair;
            rest = add((must ? behind : "(" + behind + ")?") + " " + rest, place);
        }
        return add("\"{\" " + first + " \"}\"", at);
    }

    /** What stands inside brackets may hold what is being unfolded. */
    private String held(JsonNode schema, String at) {
        Set<String> outside = new LinkedHashSet<>(unfolding);
        unfolding.clear();
        String name = rule(schema, at);
        unfolding.addAll(outside);
        return name;
    }

    private String pairs(String value) {
        String pair = use("string") + " " + use("colon") + " " + value;
        return pair + " (" + use("comma") + " " + pair + ")*";
    }

    private static Set<String> required(
            @Nullable JsonNode names, @Nullable Fields properties, String at) {
        Set<String> required = new LinkedHashSet<>();
        String place = at + ".required";
        if (names != null && !names.isArray()) {
            throw new RefusedRequest(place, place + " must be an array of names.");
        }
        for (JsonNode name : names == null ? List.<JsonNode>of() : names.values()) {
            String text = Fields.text(name, place);
            if (properties == null || !properties.object().has(text)) {
                throw new RefusedRequest(place, place + " names what properties does not declare.");
            }
            required.add(text);
        }
        return required;
    }

    private String array(Fields fields, String at) {
        JsonNode items = fields.get("items");
        int least = count(fields, "minItems", 0, at);
        int most = count(fields, "maxItems", -1, at);
        String item = items == null ? use("value") : held(items, at + ".items");
        if (most == 0) {
            return add("\"[]\"", at);
        }
        requireOrder(least, most, at, "Items");
        String more = use("comma") + " " + item;
        String times = "{" + Math.max(0, least - 1) + "," + (most < 0 ? "" : most - 1) + "}";
        String body = item + " (" + more + ")" + times;
        return add("\"[\" " + (least == 0 ? "(" + body + ")?" : body) + " \"]\"", at);
    }

    private String string(Fields fields, String at) {
        JsonNode format = fields.get("format");
        int least = count(fields, "minLength", 0, at);
        int most = count(fields, "maxLength", -1, at);
        if (format != null) {
            String name = Fields.text(format, at + ".format");
            String body = FORMATS.get(name);
            if (body == null || least > 0 || most >= 0) {
                throw new RefusedRequest(
                        at + ".format",
                        at + ".format must be date, time, date-time or uuid, without a length.");
            }
            needs(body);
            return add(body, at);
        }
        if (least == 0 && most < 0) {
            return use("string");
        }
        requireOrder(least, most, at, "Length");
        String times = "{" + least + "," + (most < 0 ? "" : most) + "}";
        return add("\"\\\"\" " + use("char") + times + " \"\\\"\"", at);
    }

    private static void requireOrder(int least, int most, String at, String what) {
        if (most >= 0 && least > most) {
            throw new RefusedRequest(
                    at + ".min" + what, "%s.min%s is above max%s.".formatted(at, what, what));
        }
    }

    private static int count(Fields fields, String word, int absent, String at) {
        return (int)
                fields.whole(word, at + "." + word, 0, Limits.MAX_GRAMMAR_REPEATS).orElse(absent);
    }

    private String integer(Fields fields, String at) {
        IntegerRange range = IntegerRange.of(fields, at);
        return range == null ? use("integer") : add(range.grammar(), at);
    }

    private static String emptyOr(String rule) {
        return rule.isEmpty() ? "\"\"" : rule;
    }

    /** A JSON value as a terminal. */
    private static String literal(JsonNode value) {
        StringBuilder text = new StringBuilder("\"");
        for (char unit : Json.written(value).toCharArray()) {
            switch (unit) {
                case '"', '\\' -> text.append('\\').append(unit);
                default -> {
                    if (unit < 0x20 || unit == 0x7F) {
                        text.append("\\x%02X".formatted((int) unit));
                    } else {
                        text.append(unit);
                    }
                }
            }
        }
        return text.append('"').toString();
    }
}
