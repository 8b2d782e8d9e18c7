package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.ChatCall;
import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.ChatTool;
import coop.sahkar.proto.v1.GenerateRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/**
 * The form and the functions that a caller over gRPC asks for, made into the grammar that one over
 * HTTP gets.
 */
final class AskedForm {
    private AskedForm() {}

    /**
     * The request with a grammar in place of the form; one that has a grammar already keeps it.
     *
     * @throws RefusedRequest for the first fault found
     */
    static GenerateRequest settled(GenerateRequest request) {
        checkCalls(request.getChat());
        String form =
                switch (request.getFormCase()) {
                    case FORM_NOT_SET -> "";
                    case JSON_OBJECT -> SchemaGrammar.anyObject();
                    case JSON_SCHEMA ->
                            SchemaGrammar.of(
                                    object(request.getJsonSchema(), "json_schema"), "json_schema");
                };
        GenerateRequest.Builder settled = request.toBuilder().clearForm();
        if (request.getSampling().getGrammar().isEmpty()) {
            ToolReader.Tools tools =
                    new ToolReader.Tools(offered(request.getChat()), List.of(), true);
            settled.getSamplingBuilder().setGrammar(tools.grammar(form));
        }
        return settled.build();
    }

    private static List<ToolReader.Tool> offered(Chat chat) {
        List<ToolReader.Tool> offered = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < Math.min(chat.getToolsCount(), Limits.MAX_TOOLS); i++) {
            ChatTool tool = chat.getTools(i);
            String at = "tools[" + i + "]";
            ToolReader.checkName(tool.getName(), at);
            if (!names.add(tool.getName())) {
                throw new RefusedRequest(
                        at + ".name", at + ".name is that of an earlier function.");
            }
            ObjectNode parameters =
                    tool.getParameters().isEmpty()
                            ? null
                            : object(tool.getParameters(), at + ".parameters");
            offered.add(
                    new ToolReader.Tool(
                            at,
                            tool.getName(),
                            tool.getDescription(),
                            ToolReader.parameters(parameters, at + ".parameters"),
                            false));
        }
        return offered;
    }

    private static ObjectNode object(String json, String at) {
        try {
            return Json.object(json.getBytes(StandardCharsets.UTF_8));
        } catch (RefusedRequest malformed) {
            throw new RefusedRequest(at, at + " must be a JSON schema, an object.");
        }
    }

    /** Calls have ids of their own, and results name calls before them. */
    private static void checkCalls(Chat chat) {
        Set<String> called = new HashSet<>();
        for (int i = 0; i < chat.getMessagesCount(); i++) {
            ChatMessage message = chat.getMessages(i);
            for (ChatCall call : message.getCallsList()) {
                String id = call.getId();
                if (id.isEmpty() || id.length() > Limits.MAX_CALL_ID || !called.add(id)) {
                    String at = "messages[%d].tool_calls".formatted(i);
                    throw new RefusedRequest(
                            at,
                            "%s must have an id each, of at most %d characters, and none twice."
                                    .formatted(at, Limits.MAX_CALL_ID));
                }
            }
            if (message.getRole().equals("tool") && !called.contains(message.getCallId())) {
                String at = "messages[%d].tool_call_id".formatted(i);
                throw new RefusedRequest(at, at + " names no call of an earlier message.");
            }
        }
    }
}
