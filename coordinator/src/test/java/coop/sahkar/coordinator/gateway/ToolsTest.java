package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.FinishReason;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Functions in requests, and calls in answers. */
class ToolsTest {
    private static final String TOOLS =
            ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"add\",\"description\":\"Adds.\","
                    + "\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}}}]";

    private final GatewayFixture fixture = new GatewayFixture();
    private final Caller caller = fixture.caller;

    @AfterEach
    void close() {
        fixture.close();
    }

    private static ScriptedHead.Script calling() {
        return ScriptedHead.saying(
                "I ",
                "add.\n",
                "<tool",
                "_call>\n{\"name\": \"add\", \"arg",
                "uments\": {\"a\"",
                ": 1}}\n",
                "</tool_call>");
    }

    @Test
    void aCallIsPartOfTheMessage() {
        ScriptedHead head = fixture.head("a", calling());
        JsonNode choice = caller.chat(GatewayFixture.chat(TOOLS)).json().at("/choices/0");
        assertThat(choice.get("finish_reason")).hasToString("\"tool_calls\"");
        assertThat(choice.at("/message/content")).hasToString("\"I add.\"");
        JsonNode call = choice.at("/message/tool_calls/0");
        assertThat(call.get("type")).hasToString("\"function\"");
        assertThat(call.get("id").stringValue()).startsWith("call_");
        assertThat(call.get("function"))
                .hasToString("{\"name\":\"add\",\"arguments\":\"{\\\"a\\\": 1}\"}");
        Chat chat = head.requests.getFirst().getRequest().getChat();
        assertThat(chat.getToolsList())
                .singleElement()
                .satisfies(tool -> {
                    assertThat(tool.getName()).isEqualTo("add");
                    assertThat(tool.getDescription()).isEqualTo("Adds.");
                    assertThat(tool.getParameters()).contains("\"integer\"");
                });
    }

    @Test
    void anAnswerThatIsOnlyACallHasNoText() {
        fixture.head(
                "a",
                ScriptedHead.saying(
                        "<tool_call>{\"name\":\"add\",\"arguments\":{}}</tool_call>", "\n"));
        JsonNode message = caller.chat(GatewayFixture.chat(TOOLS)).json().at("/choices/0/message");
        assertThat(message.get("content").isNull()).isTrue();
        assertThat(message.get("tool_calls").size()).isEqualTo(1);
    }

    @Test
    void callsAreStreamedPieceByPiece() {
        fixture.head("a", calling());
        List<JsonNode> choices =
                caller.chat(GatewayFixture.chat(TOOLS + ",\"stream\":true")).frames().stream()
                        .filter(frame -> !frame.equals("[DONE]"))
                        .map(frame -> Caller.JSON.readTree(frame).at("/choices/0"))
                        .toList();
        StringBuilder text = new StringBuilder();
        StringBuilder arguments = new StringBuilder();
        int begun = 0;
        for (JsonNode choice : choices) {
            text.append(choice.at("/delta/content").asString(""));
            JsonNode call = choice.at("/delta/tool_calls/0");
            if (call.has("id")) {
                begun++;
                assertThat(call.at("/function/name")).hasToString("\"add\"");
            }
            assertThat(call.path("index").asInt(0)).isZero();
            arguments.append(call.at("/function/arguments").asString(""));
        }
        assertThat(begun).isEqualTo(1);
        assertThat(text).hasToString("I add.");
        assertThat(arguments).hasToString("{\"a\": 1}");
        assertThat(choices.getLast().get("finish_reason")).hasToString("\"tool_calls\"");
    }

    @Test
    void aCallThatRanOutOfTokensSaysSo() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "<tool_call>{\"name\":\"add\",\"arguments\":{\"a\":");
                    call.finished(FinishReason.FINISH_REASON_LENGTH, 1);
                });
        JsonNode choice = caller.chat(GatewayFixture.chat(TOOLS)).json().at("/choices/0");
        assertThat(choice.get("finish_reason")).hasToString("\"length\"");
        assertThat(choice.at("/message/tool_calls/0/function/arguments"))
                .hasToString("\"{\\\"a\\\":\"");
    }

    @Test
    void chancesOfTokensComeBesideCalls() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.likelyToken(0, "<tool_call>");
                    call.likelyToken(1, "{\"name\":\"add\",\"arguments\":{}}");
                    call.finished(FinishReason.FINISH_REASON_STOP, 2);
                });
        List<String> frames =
                caller.chat(GatewayFixture.chat(TOOLS + ",\"logprobs\":true,\"stream\":true"))
                        .frames();
        assertThat(frames.stream().filter(frame -> frame.contains("\"logprob\":-0.5"))).hasSize(2);
    }

    @Test
    void whatLooksLikeACallIsTextWhereNobodyOfferedFunctions() {
        fixture.head("a", calling());
        JsonNode choice = caller.chat(GatewayFixture.chat("")).json().at("/choices/0");
        assertThat(choice.at("/message/content").stringValue()).contains("<tool_call>");
        assertThat(choice.get("finish_reason")).hasToString("\"stop\"");
        JsonNode none =
                caller.chat(GatewayFixture.chat(TOOLS + ",\"tool_choice\":\"none\""))
                        .json()
                        .at("/choices/0");
        assertThat(none.get("finish_reason")).hasToString("\"stop\"");
    }

    @Test
    void whatWasCalledBeforeGoesToTheHead() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("3"));
        String body =
                """
                {"model":"tiny-Q8_0","messages":[{"role":"user","content":"1+2?"},
                 {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function",
                  "function":{"name":"add","arguments":"{\\"a\\":1}"}}]},
                 {"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"3"}]}]}\
                """;
        assertThat(caller.chat(body).status()).isEqualTo(200);
        Chat chat = head.requests.getFirst().getRequest().getChat();
        assertThat(chat.getMessages(1).getCalls(0).getArguments()).isEqualTo("{\"a\":1}");
        assertThat(chat.getMessages(2).getRole()).isEqualTo("tool");
        assertThat(chat.getMessages(2).getCallId()).isEqualTo("c1");
        assertThat(chat.getMessages(2).getContent()).isEqualTo("3");
    }

    @Test
    void ollamaCallsInItsOwnShape() {
        ScriptedHead head = fixture.head("a", calling());
        String body =
                """
                {"model":"tiny-Q8_0","stream":%s,"messages":[{"role":"user","content":"x"},
                 {"role":"assistant","content":"","tool_calls":[
                  {"function":{"name":"add","arguments":{"a":2}}}]},
                 {"role":"tool","tool_name":"add","content":"2"}]%s}\
                """;
        JsonNode whole = caller.post("/api/chat", body.formatted(false, TOOLS)).json();
        assertThat(whole.get("message"))
                .hasToString(
                        "{\"role\":\"assistant\",\"content\":\"I add.\",\"tool_calls\":"
                                + "[{\"function\":{\"name\":\"add\",\"arguments\":{\"a\":1}}}]}");
        Chat chat = head.requests.getFirst().getRequest().getChat();
        assertThat(chat.getMessages(1).getCalls(0).getArguments()).isEqualTo("{\"a\":2}");
        assertThat(chat.getMessages(2).getCallId())
                .isEqualTo(chat.getMessages(1).getCalls(0).getId());
        List<JsonNode> lines =
                caller.post("/api/chat", body.formatted(true, TOOLS))
                        .body()
                        .lines()
                        .map(line -> Caller.JSON.readTree(line))
                        .toList();
        assertThat(lines.stream().filter(line -> line.at("/message/tool_calls").isArray()))
                .singleElement()
                .satisfies(line ->
                        assertThat(line.at("/message/tool_calls/0/function/arguments"))
                                .hasToString("{\"a\":1}"));
        assertThat(lines.getLast().get("done").booleanValue()).isTrue();
    }
}
