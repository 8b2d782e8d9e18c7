package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.FinishReason;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Functions in {@code /v1/responses}. */
class ResponseToolsTest {
    private static final String PATH = "/v1/responses";
    private static final String TOOLS =
            ",\"tools\":[{\"type\":\"function\",\"name\":\"add\",\"description\":\"Adds.\","
                    + "\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}},\"strict\":true}]";

    private final GatewayFixture fixture = new GatewayFixture();
    private final Caller caller = fixture.caller;

    @AfterEach
    void close() {
        fixture.close();
    }

    private static String body(String input, String more) {
        return "{\"model\":\"%s\",\"input\":%s%s}".formatted(ScriptedPool.NAME, input, more);
    }

    private static ScriptedHead.Script calling() {
        return ScriptedHead.saying(
                "I ",
                "add.\n<tool_call>{\"name\": \"add\", \"arg",
                "uments\": {\"a\"",
                ": 1}}</tool_call>\n",
                "<tool_call>{\"name\": \"add\", \"arguments\": {}}</tool_call>\n");
    }

    @Test
    void callsAreItemsOfTheirOwn() {
        ScriptedHead head = fixture.head("a", calling());
        JsonNode json = caller.post(PATH, body("\"Add.\"", TOOLS)).json();
        assertThat(types(json.get("output")))
                .containsExactly("message", "function_call", "function_call");
        assertThat(json.at("/output/0/content/0/text")).hasToString("\"I add.\"");
        JsonNode call = json.at("/output/1");
        assertThat(call.get("name")).hasToString("\"add\"");
        assertThat(call.get("arguments").stringValue()).isEqualTo("{\"a\": 1}");
        assertThat(call.get("status")).hasToString("\"completed\"");
        assertThat(call.get("call_id")).isNotEqualTo(json.at("/output/2/call_id"));
        assertThat(json.at("/tools/0/name")).hasToString("\"add\"");
        Chat chat = head.requests.getFirst().getRequest().getChat();
        assertThat(chat.getTools(0).getName()).isEqualTo("add");
        assertThat(chat.getTools(0).getDescription()).isEqualTo("Adds.");
        assertThat(chat.getTools(0).getParameters()).contains("\"integer\"");
    }

    private static List<String> types(JsonNode items) {
        return items.valueStream().map(item -> item.get("type").stringValue()).toList();
    }

    @Test
    void aCallIsStreamedAsEvents() {
        fixture.head("a", calling());
        List<JsonNode> events =
                caller.post(PATH, body("\"Add.\"", TOOLS + ",\"stream\":true"))
                        .body()
                        .lines()
                        .filter(line -> line.startsWith("data: "))
                        .map(line -> Caller.JSON.readTree(line.substring(6)))
                        .toList();
        assertThat(types(Caller.JSON.valueToTree(events)))
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.output_item.added",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.done",
                        "response.output_item.done",
                        "response.output_item.added",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.done",
                        "response.output_item.done",
                        "response.completed");
        StringBuilder arguments = new StringBuilder();
        for (JsonNode event : events) {
            if (event.path("output_index").asInt(0) == 1) {
                arguments.append(event.path("delta").asString(""));
                assertThat(event.path("item_id").asString("fc_")).startsWith("fc_");
            }
        }
        assertThat(arguments).hasToString("{\"a\": 1}");
        assertThat(events.get(12).get("arguments").stringValue()).isEqualTo("{\"a\": 1}");
        assertThat(events.get(13).at("/item/status")).hasToString("\"completed\"");
        assertThat(events.get(13).at("/output_index").intValue()).isEqualTo(1);
    }

    @Test
    void whatCameOfACallGoesOnFromTheKeptAnswer() {
        ScriptedHead head = fixture.head("a", calling());
        JsonNode first = caller.post(PATH, body("\"Add.\"", TOOLS)).json();
        String output =
                "[{\"type\":\"function_call_output\",\"call_id\":%s,\"output\":\"3\"}]"
                        .formatted(first.at("/output/1/call_id"));
        String before = ",\"previous_response_id\":" + first.get("id");
        assertThat(caller.post(PATH, body(output, before)).status()).isEqualTo(200);
        List<ChatMessage> said = head.requests.get(1).getRequest().getChat().getMessagesList();
        assertThat(said)
                .extracting(ChatMessage::getRole)
                .containsExactly("user", "assistant", "tool");
        assertThat(said.get(1).getContent()).isEqualTo("I add.");
        assertThat(said.get(1).getCallsList()).hasSize(2);
        assertThat(said.get(1).getCalls(0).getArguments()).isEqualTo("{\"a\": 1}");
        assertThat(said.get(2).getCallId()).isEqualTo(said.get(1).getCalls(0).getId());
        assertThat(said.get(2).getContent()).isEqualTo("3");
    }

    @Test
    void callsCanBeSentBackAsInput() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("Three."));
        String input =
                """
                [{"role":"user","content":"Add."},\
                {"type":"function_call","id":"fc_1","call_id":"c1","name":"add","arguments":"{}"},\
                {"type":"function_call","call_id":"c2","name":"add","arguments":"{}","status":"completed"},\
                {"type":"function_call_output","call_id":"c1","output":[{"type":"input_text","text":"3"}]},\
                {"type":"function_call_output","call_id":"c2","output":"4"}]\
                """;
        JsonNode json = caller.post(PATH, body(input, TOOLS)).json();
        assertThat(types(json.get("output"))).containsExactly("message");
        List<ChatMessage> said = head.requests.getFirst().getRequest().getChat().getMessagesList();
        assertThat(said)
                .extracting(ChatMessage::getRole)
                .containsExactly("user", "assistant", "tool", "tool");
        assertThat(said.get(1).getCallsList()).hasSize(2);
        assertThat(said.get(2).getContent()).isEqualTo("3");
    }

    @Test
    void aCallCanBeAskedFor() {
        ScriptedHead head = fixture.head("a", calling());
        for (String choice : List.of("\"required\"", "{\"type\":\"function\",\"name\":\"add\"}")) {
            caller.post(
                    PATH,
                    body(
                            "\"Add.\"",
                            TOOLS + ",\"parallel_tool_calls\":false,\"tool_choice\":" + choice));
        }
        assertThat(head.requests)
                .hasSize(2)
                .allMatch(run -> run.getRequest().getSampling().getGrammar().contains("add"));
    }

    @Test
    void aCallThatRanOutOfTokensIsIncomplete() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "<tool_call>{\"name\":\"add\",\"arguments\":{\"a\":");
                    call.finished(FinishReason.FINISH_REASON_LENGTH, 1);
                });
        JsonNode json = caller.post(PATH, body("\"Add.\"", TOOLS)).json();
        assertThat(json.get("status")).hasToString("\"incomplete\"");
        assertThat(json.at("/output/0/status")).hasToString("\"incomplete\"");
        assertThat(json.at("/output/0/arguments").stringValue()).isEqualTo("{\"a\":");
    }
}
