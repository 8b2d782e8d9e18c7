package coop.sahkar.deploy.e2e;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Makes JSON schemas of all that the gateway turns into grammars, small enough to be answered. */
final class SchemaMaker {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final List<String> NAMES =
            List.of("name", "age", "a b", "quo\"te", "grün", "x", "back\\slash");

    private final Random random;

    SchemaMaker(long seed) {
        random = new Random(seed);
    }

    /** An object at the top, as APIs ask for; a third of them refer to definitions. */
    ObjectNode schema() {
        ObjectNode schema = object(2);
        if (random.nextInt(3) == 0) {
            schema.putObject("$defs").set("part", scalar());
            ObjectNode properties = (ObjectNode) schema.get("properties");
            properties.putObject("part").put("$ref", "#/$defs/part");
        }
        return schema;
    }

    private ObjectNode any(int depth) {
        return switch (depth == 0 ? 0 : random.nextInt(4)) {
            case 1 -> object(depth - 1);
            case 2 -> array(depth - 1);
            case 3 -> anyOf(depth - 1);
            default -> scalar();
        };
    }

    private ObjectNode object(int depth) {
        ObjectNode schema = JSON.objectNode().put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = schema.putArray("required");
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            String name = NAMES.get(random.nextInt(NAMES.size()));
            if (!properties.has(name)) {
                properties.set(name, any(depth));
                if (random.nextBoolean()) {
                    required.add(name);
                }
            }
        }
        schema.put("additionalProperties", false);
        return schema;
    }

    private ObjectNode array(int depth) {
        ObjectNode schema = JSON.objectNode().put("type", "array");
        schema.set("items", any(depth));
        int least = random.nextInt(3);
        return schema.put("minItems", least).put("maxItems", least + random.nextInt(3));
    }

    private ObjectNode anyOf(int depth) {
        ObjectNode schema = JSON.objectNode();
        schema.putArray("anyOf").add(any(depth)).add(scalar());
        return schema;
    }

    private ObjectNode scalar() {
        ObjectNode schema = JSON.objectNode();
        switch (random.nextInt(8)) {
            case 0 -> {
                int low = random.nextInt(2000) - 1000;
                schema.put("type", "integer").put("minimum", low);
                schema.put("exclusiveMaximum", low + 1 + random.nextInt(500));
            }
            case 1 -> schema.put("type", "number");
            case 2 -> schema.put("type", "boolean");
            case 3 -> schema.put("const", "fixed \"" + random.nextInt(9));
            case 4 -> schema.putArray("enum").add("red").add(7).add(JSON.nullNode()).add("grün");
            case 5 -> schema.put("type", "string").put("format", "date");
            case 6 -> schema.putArray("type").add("integer").add("null");
            default -> {
                int least = random.nextInt(4);
                schema.put("type", "string").put("minLength", least);
                schema.put("maxLength", least + random.nextInt(12));
            }
        }
        return schema;
    }

    /** So many schemas. */
    List<ObjectNode> schemas(int count) {
        List<ObjectNode> schemas = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            schemas.add(schema());
        }
        return schemas;
    }
}
