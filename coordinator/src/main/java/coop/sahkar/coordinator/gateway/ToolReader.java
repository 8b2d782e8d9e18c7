package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.CallRules;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.ChatTool;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads {@code tools}, {@code tool_choice} and {@code parallel_tool_calls}. */
final class ToolReader {
    private static final Pattern NAME =
            Pattern.compile("[A-Za-z0-9_-]{1," + Limits.MAX_TOOL_NAME + "}");

    /**
     * What a request says of functions.
     *
     * @param offered to the model; none if it is to call none
     * @param forced those of which it must call one; none if it need not
     * @param parallel whether it may call several at once
     */
    record Tools(List<Tool> offered, List<Tool> forced, boolean parallel) {
        /** What is taken for a call in the answer; null if nothing is. */
        @Nullable CallRules rules() {
            if (offered.isEmpty()) {
                return null;
            }
            Set<String> names = new LinkedHashSet<>();
            offered.forEach(tool -> names.add(tool.name()));
            return new CallRules(names, parallel);
        }

        /** The grammar of the answer, given that of its text. */
        String grammar(String form) {
            if (offered.isEmpty()) {
                return form;
            }
            if (forced.isEmpty() && form.isEmpty()) {
                return ToolGrammar.free(offered, parallel);
            }
            return forced.isEmpty()
                    ? ToolGrammar.of(offered, parallel, form)
                    : ToolGrammar.of(forced, parallel, "");
        }
    }

    /**
     * One function.
     *
     * @param at its place in the request
     * @param parameters JSON schema of its arguments; null: it takes none
     * @param strict whether the arguments must follow the schema to the letter
     */
    record Tool(
            String at,
            String name,
            String description,
            @Nullable ObjectNode parameters,
            boolean strict) {
        ChatTool toWire() {
            return ChatTool.newBuilder()
                    .setName(name)
                    .setDescription(description)
                    .setParameters(parameters == null ? "" : Json.written(parameters))
                    .build();
        }
    }

    private ToolReader() {}

    /**
     * Reads a request's functions.
     *
     * @throws RefusedRequest for the first fault found
     */
    static Tools read(Fields fields) {
        List<Tool> tools = tools(fields.get("tools"));
        boolean parallel = fields.flag("parallel_tool_calls", true);
        JsonNode choice = fields.get("tool_choice");
        if (choice == null) {
            return new Tools(tools, List.of(), parallel);
        }
        if (choice.isString()) {
            return switch (choice.stringValue()) {
                case "none" -> new Tools(List.of(), List.of(), parallel);
                case "auto" -> new Tools(tools, List.of(), parallel);
                case "required" -> new Tools(tools, atLeastOne(tools), parallel);
                default -> throw wrongChoice();
            };
        }
        return new Tools(tools, List.of(named(choice, tools)), parallel);
    }

    private static List<Tool> atLeastOne(List<Tool> tools) {
        if (tools.isEmpty()) {
            throw new RefusedRequest(
                    "tool_choice", "tool_choice asks for a call, but tools offers no function.");
        }
        return tools;
    }

    private static Tool named(JsonNode choice, List<Tool> tools) {
        JsonNode name = choice.at("/function/name");
        if (!choice.path("type").asString("").equals("function") || !name.isString()) {
            throw wrongChoice();
        }
        return tools.stream()
                .filter(tool -> tool.name().equals(name.stringValue()))
                .findFirst()
                .orElseThrow(() ->
                        new RefusedRequest(
                                "tool_choice", "tool_choice names a function that tools lacks."));
    }

    private static RefusedRequest wrongChoice() {
        return new RefusedRequest(
                "tool_choice",
                "tool_choice must be none, auto, required, or"
                        + " {\"type\":\"function\",\"function\":{\"name\":\"…\"}}.");
    }

    private static List<Tool> tools(@Nullable JsonNode node) {
        if (node == null) {
            return List.of();
        }
        if (!node.isArray() || node.size() > Limits.MAX_TOOLS) {
            throw new RefusedRequest(
                    "tools",
                    "tools must be an array of at most %d functions.".formatted(Limits.MAX_TOOLS));
        }
        List<Tool> tools = new ArrayList<>();
        Set<String> names = new LinkedHashSet<>();
        for (int i = 0; i < node.size(); i++) {
            Tool tool = tool(node.get(i), "tools[" + i + "]");
            if (!names.add(tool.name())) {
                throw new RefusedRequest(
                        tool.at() + ".name", tool.at() + ".name is that of an earlier function.");
            }
            tools.add(tool);
        }
        return tools;
    }

    private static Tool tool(JsonNode node, String at) {
        if (!node.path("type").asString("").equals("function")) {
            throw new RefusedRequest(at + ".type", at + ".type must be function.");
        }
        String place = at + ".function";
        if (!(node.get("function") instanceof ObjectNode object)) {
            throw new RefusedRequest(place, place + " must be an object with a name.");
        }
        String name = object.path("name").isString() ? object.get("name").stringValue() : "";
        checkName(name, place);
        Fields fields = new Fields(object);
        JsonNode description = fields.get("description");
        JsonNode strict = fields.get("strict");
        if (strict != null && !strict.isBoolean()) {
            throw new RefusedRequest(place + ".strict", place + ".strict must be true or false.");
        }
        return new Tool(
                place,
                name,
                description == null ? "" : Fields.text(description, place + ".description"),
                parameters(fields.get("parameters"), place + ".parameters"),
                strict != null && strict.booleanValue());
    }

    /** Refuses what cannot be a function's name. */
    static void checkName(String name, String at) {
        if (!NAME.matcher(name).matches()) {
            throw new RefusedRequest(
                    at + ".name",
                    at + ".name must have 1 to 64 letters, digits, underscores and hyphens.");
        }
    }

    /** The schema of a function's arguments; null for none. */
    static @Nullable ObjectNode parameters(@Nullable JsonNode node, String at) {
        if (node == null) {
            return null;
        }
        if (node instanceof ObjectNode object
                && object.path("type").asString("object").equals("object")) {
            return object;
        }
        throw new RefusedRequest(at, at + " must be the JSON schema of an object.");
    }
}
