package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.GenerateRequest;
import java.net.http.HttpRequest;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/** {@code /v1/responses}: whole, streamed, gone on from, kept for a while. */
class ResponsesTest {
    private static final String PATH = "/v1/responses";

    private final GatewayFixture fixture = new GatewayFixture();
    private final Caller caller = fixture.caller;

    @AfterEach
    void close() {
        fixture.close();
    }

    private static String body(String more) {
        return "{\"model\":\"%s\",\"input\":\"What is a worker?\"%s}"
                .formatted(ScriptedPool.NAME, more);
    }

    private static List<String> said(ScriptedHead head, int request) {
        return head.requests.get(request).getRequest().getChat().getMessagesList().stream()
                .map((ChatMessage message) -> message.getRole() + ": " + message.getContent())
                .toList();
    }

    @Test
    void anAnswerIsWhole() {
        fixture.head("a", ScriptedHead.saying("A ", "worker"));
        JsonNode json = caller.post(PATH, body(",\"metadata\":{\"a\":\"b\"}")).json();
        assertThat(json.get("object")).hasToString("\"response\"");
        assertThat(json.get("status")).hasToString("\"completed\"");
        assertThat(json.get("model").stringValue()).isEqualTo(ScriptedPool.MODEL);
        assertThat(json.at("/output/0/type")).hasToString("\"message\"");
        assertThat(json.at("/output/0/content/0/text")).hasToString("\"A worker\"");
        assertThat(json.at("/usage/input_tokens").intValue()).isEqualTo(7);
        assertThat(json.at("/usage/output_tokens").intValue()).isEqualTo(2);
        assertThat(json.at("/metadata/a")).hasToString("\"b\"");
    }

    @Test
    void whatSamplingAndEndAreAskedForReachesTheHead() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("A"));
        String more =
                ",\"stop\":[\"y\"],\"logit_bias\":{\"5\":1},\"presence_penalty\":0.5,\"top_k\":3";
        assertThat(caller.post(PATH, body(more)).status()).isEqualTo(200);
        GenerateRequest asked = head.requests.getFirst().getRequest();
        assertThat(asked.getStopList()).containsExactly("y");
        assertThat(asked.getSampling().getLogitBiasMap()).containsEntry(5, 1f);
        assertThat(asked.getSampling().getPresencePenalty()).isEqualTo(0.5f);
        assertThat(asked.getSampling().getTopK()).isEqualTo(3);
    }

    @Test
    void anAnswerThatRanOutOfTokensIsIncomplete() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "A");
                    call.finished(FinishReason.FINISH_REASON_LENGTH, 1);
                });
        JsonNode json = caller.post(PATH, body(",\"max_output_tokens\":1")).json();
        assertThat(json.get("status")).hasToString("\"incomplete\"");
        assertThat(json.at("/incomplete_details/reason")).hasToString("\"max_output_tokens\"");
    }

    @Test
    void aStreamIsEventsInOrder() {
        fixture.head("a", ScriptedHead.saying("A ", "worker"));
        String raw = caller.post(PATH, body(",\"stream\":true")).body();
        List<JsonNode> events =
                raw.lines()
                        .filter(line -> line.startsWith("data: "))
                        .map(line -> Caller.JSON.readTree(line.substring(6)))
                        .toList();
        assertThat(events.stream().map(event -> event.get("type").stringValue()))
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
                        "response.completed");
        for (int i = 0; i < events.size(); i++) {
            assertThat(events.get(i).get("sequence_number").intValue()).isEqualTo(i);
            assertThat(raw).contains("event: " + events.get(i).get("type").stringValue() + "\n");
        }
        assertThat(events.getLast().at("/response/output/0/content/0/text"))
                .hasToString("\"A worker\"");
    }

    @Test
    void aConversationGoesOnWithoutTheOldInstructions() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("A ", "worker"));
        String first =
                caller.post(PATH, body(",\"instructions\":\"Be brief.\""))
                        .json()
                        .get("id")
                        .stringValue();
        assertThat(caller.post(PATH, body(",\"previous_response_id\":\"" + first + "\"")).status())
                .isEqualTo(200);
        assertThat(said(head, 0)).containsExactly("system: Be brief.", "user: What is a worker?");
        assertThat(said(head, 1))
                .containsExactly(
                        "user: What is a worker?",
                        "assistant: A worker",
                        "user: What is a worker?");
    }

    @Test
    void messagesAreTakenInTheirOwnShape() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("x"));
        String items =
                "[{\"role\":\"developer\",\"content\":\"d\"},{\"type\":\"message\",\"role\":\"user\",\"content\":"
                        + "[{\"type\":\"input_text\",\"text\":\"u\"}]},{\"type\":\"message\",\"role\":\"assistant\","
                        + "\"content\":[{\"type\":\"output_text\",\"text\":\"a\"}]}]";
        String body =
                "{\"model\":\"tiny-Q8_0\",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"schema\":{\"enum\":[5]}}},"
                        + "\"input\":";
        assertThat(caller.post(PATH, body + items + "}").status()).isEqualTo(200);
        assertThat(said(head, 0)).containsExactly("system: d", "user: u", "assistant: a");
        assertThat(head.requests.getFirst().getRequest().getSampling().getGrammar())
                .contains("\"5\"");
    }

    @Test
    void whatIsKeptCanBeReadAndDeleted() {
        fixture.head("a", ScriptedHead.saying("A"));
        JsonNode told = caller.post(PATH, body("")).json();
        String path = PATH + "/" + told.get("id").stringValue();
        assertThat(caller.get(path).json()).isEqualTo(told);
        HttpRequest delete = caller.request(path).DELETE().build();
        assertThat(caller.send(delete).json().get("deleted").booleanValue()).isTrue();
        assertThat(caller.get(path).status()).isEqualTo(404);
        assertThat(caller.send(delete).status()).isEqualTo(404);
        assertThat(caller.post(path, "{}").status()).isEqualTo(405);
        JsonNode unkept = caller.post(PATH, body(",\"store\":false")).json();
        assertThat(caller.get(PATH + "/" + unkept.get("id").stringValue()).status()).isEqualTo(404);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "\"input\":null                                  | input",
                "\"input\":[]                                    | input",
                "\"input\":5                                     | input",
                "\"input\":[{\"type\":\"reasoning\"}]            | input[0]",
                "\"input\":[{\"role\":\"king\"}]                 | input[0].role",
                "\"input\":[{\"role\":\"user\"}]                 | input[0].content",
                "\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\"}]}]|input[0].content[0].type",
                "\"input\":\"x\",\"instructions\":1               | instructions",
                "\"input\":\"x\",\"tools\":[{\"type\":\"web_search\"}]|tools[0].type",
                "\"input\":\"x\",\"tools\":{}|tools",
                "\"input\":\"x\",\"tools\":[5]|tools[0].type",
                "\"input\":\"x\",\"tools\":[{\"type\":\"function\",\"name\":\"a b\"}]|tools[0].name",
                "\"input\":\"x\",\"tool_choice\":\"required\"|tool_choice",
                "\"input\":\"x\",\"tool_choice\":{\"type\":\"function\",\"name\":\"a\"}|tool_choice",
                "\"input\":\"x\",\"parallel_tool_calls\":1|parallel_tool_calls",
                "\"input\":[{\"type\":\"function_call\",\"name\":\"a\"}]|input[0].call_id",
                "\"input\":[{\"type\":\"function_call_output\",\"call_id\":\"a\"}]|input[0].output",
                "\"input\":[{\"type\":\"function_call_output\",\"call_id\":\"a\",\"output\":\"1\"}]|input",
                "\"input\":\"x\",\"background\":true              | background",
                "\"input\":\"x\",\"truncation\":\"auto\"          | truncation",
                "\"input\":\"x\",\"include\":[\"message.output_text.logprobs\"]|include",
                "\"input\":\"x\",\"top_logprobs\":3              | top_logprobs",
                "\"input\":\"x\",\"logprobs\":true               | logprobs",
                "\"input\":\"x\",\"n\":2                         | n",
                "\"input\":\"x\",\"max_tokens\":5                | max_tokens",
                "\"input\":\"x\",\"max_completion_tokens\":5     | max_completion_tokens",
                "\"input\":\"x\",\"response_format\":{\"type\":\"text\"}|response_format",
                "\"input\":\"x\",\"text\":{\"verbosity\":\"low\"} | text.verbosity",
                "\"input\":\"x\",\"reasoning\":{\"effort\":\"low\"}|reasoning",
                "\"input\":\"x\",\"logit_bias\":{\"a\":1}        | logit_bias",
                "\"input\":\"x\",\"frequency_penalty\":3         | frequency_penalty",
                "\"input\":\"x\",\"max_output_tokens\":0          | max_output_tokens",
                "\"input\":\"x\",\"max_output_tokens\":1e9        | max_output_tokens",
                "\"input\":\"x\",\"temperature\":9                | temperature",
                "\"input\":\"x\",\"store\":\"yes\"                | store",
                "\"input\":\"x\",\"previous_response_id\":\"resp_0\"|previous_response_id",
                "\"input\":\"x\",\"text\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"pattern\":\"x\"}}}|text.format.schema.pattern",
                "\"input\":\"x\",\"text\":{\"format\":{\"type\":\"xml\"}}|text.format.type",
            })
    void oneBadFieldIsNamed(String fields, String param) {
        Caller.Reply reply =
                caller.post(PATH, "{\"model\":\"" + ScriptedPool.NAME + "\"," + fields + "}");
        assertThat(reply.status()).as(reply.body()).isEqualTo(400);
        assertThat(reply.json().at("/error/param").asString("")).isEqualTo(param);
    }

    @Test
    void whatIsKeptIsBoundedAndEnds() {
        ResponseStore store = new ResponseStore();
        ArrayNode said = Json.object().putArray("a").add("x".repeat(100_000));
        ResponseStore.Kept kept = new ResponseStore.Kept("me", said, Json.object());
        int fits = (int) (GatewayLimits.MAX_KEPT_RESPONSES_BYTES / 100_010);
        for (int i = 0; i <= fits; i++) {
            store.put("id" + i, kept, 0);
        }
        assertThat(store.find("id0", "me", 0)).isNull();
        assertThat(store.find("id" + fits, "me", 0)).isNotNull();
        assertThat(store.find("id" + fits, "you", 0)).isNull();
        assertThat(store.find("id" + fits, "me", GatewayLimits.KEPT_RESPONSE_MILLIS)).isNull();
        ArrayNode huge = Json.object().putArray("a").add("x".repeat(300_000));
        store.put("huge", new ResponseStore.Kept("me", huge, Json.object()), 0);
        assertThat(store.find("huge", "me", 0)).isNull();
        for (int i = 0; i <= GatewayLimits.MAX_KEPT_RESPONSES; i++) {
            store.put(
                    "small" + i,
                    new ResponseStore.Kept("me", Json.object().putArray("a"), Json.object()),
                    0);
        }
        assertThat(store.find("small0", "me", 0)).isNull();
        assertThat(store.find("small1", "me", 0)).isNotNull();
    }
}
