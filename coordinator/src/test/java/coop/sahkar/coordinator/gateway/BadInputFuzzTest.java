package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.GenerationEvent;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Good requests to every endpoint, spoilt: every value at every place by everything odd, and bytes
 * at random. Whatever comes of it is an answer or a refusal in the right shape, never a failure of
 * ours.
 */
class BadInputFuzzTest {
    private static final int BYTE_ROUNDS = 600;
    private static final int NAME_ROUNDS = 300;

    private static final Map<String, String> GOOD = new LinkedHashMap<>();

    static {
        GOOD.put(
                "/v1/chat/completions",
                """
                {"model":"tiny-Q8_0","messages":[{"role":"user","content":[{"type":"text","text":"x"}]},
                 {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
                  "function":{"name":"f","arguments":"{}"}}]},
                 {"role":"tool","tool_call_id":"c","content":"y"}],
                 "temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.05,"seed":1,"n":2,"stop":["y"],
                 "max_tokens":5,"max_completion_tokens":5,"logprobs":true,"top_logprobs":2,
                 "logit_bias":{"5":1},"stream":true,"stream_options":{"include_usage":true},
                 "user":"u","metadata":{"a":"b"},"store":false,
                 "tools":[{"type":"function","function":{"name":"f","description":"d","strict":true,"parameters":{"type":"object",
                  "properties":{"a":{"type":"integer"}},"required":["a"]}}}],
                 "tool_choice":"required","parallel_tool_calls":true,
                 "frequency_penalty":0,"presence_penalty":0,"service_tier":"auto",
                 "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":
                  {"type":"object","properties":{"a":{"type":"integer","minimum":1},
                   "b":{"type":"array","items":{"$ref":"#/$defs/c"},"maxItems":3},
                   "d":{"type":["string","null"],"maxLength":5},"e":{"enum":[1,"x"]},
                   "f":{"anyOf":[{"type":"null"},{"const":5}]}},
                   "required":["a"],"additionalProperties":false,"$defs":{"c":{"type":"boolean"}}}}}}\
                """);
        GOOD.put(
                "/v1/responses",
                """
                {"model":"tiny-Q8_0","input":[{"type":"message","role":"user","content":[{"type":"input_text",
                 "text":"x"}]}],"instructions":"i","max_output_tokens":5,"temperature":1,"top_p":1,"store":true,
                 "stream":true,"text":{"format":{"type":"json_schema","name":"n","schema":{"enum":[1]}}},
                 "metadata":{"a":"b"},"tools":[],"tool_choice":"auto","include":[],"truncation":"disabled"}\
                """);
        GOOD.put(
                "/v1/responses?tools",
                """
                {"model":"tiny-Q8_0","input":[{"role":"user","content":"x"},
                 {"type":"function_call","id":"i","call_id":"c","name":"f","arguments":"{}","status":"completed"},
                 {"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"1"}]}],
                 "tools":[{"type":"function","name":"f","description":"d","strict":true,"parameters":{"type":"object",
                  "properties":{"a":{"type":"integer"}},"required":["a"]}}],
                 "tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false}\
                """);
        GOOD.put(
                "/v1/embeddings",
                "{\"model\":\"tiny-Q8_0\",\"input\":[\"x\",\"y\"],\"encoding_format\":\"base64\",\"user\":\"u\",\"dimensions\":null}");
        GOOD.put(
                "/api/embed",
                "{\"model\":\"tiny-Q8_0\",\"input\":\"x\",\"truncate\":false,\"options\":{}}");
        GOOD.put(
                "/v1/completions",
                "{\"model\":\"tiny-Q8_0\",\"prompt\":[\"x\"],\"logprobs\":1,\"max_tokens\":3,\"echo\":false,\"suffix\":\"\"}");
        GOOD.put(
                "/tokenize",
                "{\"model\":\"tiny-Q8_0\",\"prompt\":\"x\",\"add_special_tokens\":true,\"with_pieces\":false}");
        GOOD.put("/detokenize", "{\"model\":\"tiny-Q8_0\",\"tokens\":[104,105]}");
        GOOD.put(
                "/api/chat",
                """
                {"model":"tiny-Q8_0","messages":[{"role":"user","content":"x","images":[]},
                 {"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},
                 {"role":"tool","tool_name":"f","content":"y"}],"stream":false,
                 "format":{"type":"object","properties":{"a":{"type":"null"}}},"think":false,
                 "tools":[{"type":"function","function":{"name":"f","description":"d","strict":true,"parameters":{"type":"object",
                  "properties":{"a":{"type":"integer"}},"required":["a"]}}}],
                 "keep_alive":"5m","options":{"temperature":1,"num_predict":5,"repeat_last_n":64,"stop":["x"],
                 "top_k":4,"mirostat":0}}\
                """);
        GOOD.put(
                "/api/generate",
                "{\"model\":\"tiny-Q8_0\",\"prompt\":\"x\",\"system\":\"s\",\"raw\":false,\"format\":\"json\",\"options\":{\"seed\":1}}");
        GOOD.put("/api/show", "{\"model\":\"tiny-Q8_0\"}");
    }

    private static final List<String> ODD =
            List.of(
                    "null",
                    "true",
                    "false",
                    "0",
                    "-1",
                    "1e400",
                    "1.5",
                    "99999999999999999999",
                    "\"\"",
                    "\"x\"",
                    "\"\\ud800\"",
                    "\"\\u0000\"",
                    "[]",
                    "[[]]",
                    "[null]",
                    "{}",
                    "{\"a\":{\"b\":[1]}}",
                    "\"" + "y".repeat(3_000) + "\"");

    private static GatewayFixture fixture;

    @BeforeAll
    static void open() {
        fixture = new GatewayFixture();
        fixture.head(
                "a",
                (run, call) -> {
                    call.started();
                    Delta.Builder delta =
                            Delta.newBuilder()
                                    .setPosition(ScriptedHead.PROMPT_TOKENS)
                                    .addTokens(100)
                                    .setText("fine");
                    if (run.getRequest().getSampling().getEmbedding()) {
                        delta.addEmbedding(1).addEmbedding(2);
                    }
                    call.out.onNext(GenerationEvent.newBuilder().setDelta(delta).build());
                    call.finished(FinishReason.FINISH_REASON_STOP, 1);
                });
    }

    @AfterAll
    static void close() {
        fixture.close();
    }

    @Test
    void everyValueAtEveryPlaceByEverythingOdd() {
        int refused = 0;
        for (Map.Entry<String, String> good : GOOD.entrySet()) {
            JsonNode body = Caller.JSON.readTree(good.getValue());
            assertThat(post(good.getKey(), good.getValue()).status())
                    .as(good.getKey())
                    .isEqualTo(200);
            int places = places(body);
            for (int place = 0; place < places; place++) {
                for (String odd : ODD) {
                    String spoilt = spoilt(body, place, odd);
                    refused += judge(good.getKey(), spoilt) ? 1 : 0;
                }
            }
        }
        assertThat(refused).as("requests refused").isGreaterThan(500);
    }

    @Test
    void bytesAtRandom() {
        Random random = new Random(4);
        List<String> paths = List.copyOf(GOOD.keySet());
        for (int round = 0; round < BYTE_ROUNDS; round++) {
            String path = paths.get(random.nextInt(paths.size()));
            byte[] body = GOOD.getOrDefault(path, "").getBytes(StandardCharsets.UTF_8);
            for (int i = 1 + random.nextInt(4); i > 0; i--) {
                body[random.nextInt(body.length)] = (byte) random.nextInt(256);
            }
            int length = random.nextInt(3) == 0 ? random.nextInt(body.length) : body.length;
            HttpRequest request =
                    fixture.caller
                            .request(path)
                            .header("content-type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofByteArray(body, 0, length))
                            .build();
            check(path, fixture.caller.send(request), "round " + round);
        }
    }

    /** Names of models and responses as nobody would choose them, under methods that fit or not. */
    @Test
    void namesAndMethodsAtRandom() {
        Random random = new Random(9);
        List<String> paths =
                List.of("/v1/models/", "/v1/responses/", "/v1/", "/api/", "/v1/chat/", "/status/");
        List<String> methods = List.of("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS");
        for (int round = 0; round < NAME_ROUNDS; round++) {
            StringBuilder path = new StringBuilder(paths.get(random.nextInt(paths.size())));
            for (int i = 1 + random.nextInt(12); i > 0; i--) {
                path.append("%%%02x".formatted(random.nextInt(1, 256)));
            }
            String method = methods.get(random.nextInt(methods.size()));
            HttpRequest request =
                    fixture.caller
                            .request(path.toString())
                            .method(method, HttpRequest.BodyPublishers.noBody())
                            .build();
            Caller.Reply reply = fixture.caller.send(request);
            assertThat(reply.status()).as("%s %s", method, path).isBetween(200, 499);
            assertThat(reply.body()).doesNotContain("Exception").doesNotContain("\tat ");
            if (reply.status() >= 400 && !method.equals("HEAD")) {
                assertThat(reply.json().at("/error/message").stringValue()).isNotBlank();
            }
        }
    }

    private static Caller.Reply post(String path, String body) {
        return fixture.caller.post(path, body);
    }

    private static boolean judge(String path, String body) {
        Caller.Reply reply = post(path, body);
        check(path, reply, body);
        return reply.status() != 200;
    }

    private static void check(String path, Caller.Reply reply, String what) {
        assertThat(reply.status()).as("%s %s: %s", path, what, reply.body()).isLessThan(500);
        assertThat(reply.body()).doesNotContain("Exception").doesNotContain("\tat ");
        if (reply.status() == 200) {
            return;
        }
        JsonNode error = reply.json().get("error");
        if (path.startsWith("/api/")) {
            assertThat(error.isString()).as(reply.body()).isTrue();
        } else {
            assertThat(error.propertyNames()).containsExactly("message", "type", "param", "code");
            assertThat(error.get("message").stringValue()).isNotBlank();
        }
    }

    /** Values in a document, itself not counted. */
    private static int places(JsonNode node) {
        int count = 0;
        for (JsonNode child : node.values()) {
            count += 1 + places(child);
        }
        return count;
    }

    private static String spoilt(JsonNode good, int place, String odd) {
        JsonNode copy = good.deepCopy();
        replace(copy, new int[] {place});
        return copy.toString().replace("\"@odd@\"", odd);
    }

    /** Puts a mark at the place counted down to, depth first. */
    private static void replace(JsonNode node, int[] left) {
        if (node instanceof ObjectNode object) {
            for (String name : List.copyOf(object.propertyNames())) {
                if (left[0]-- == 0) {
                    object.put(name, "@odd@");
                    return;
                }
                replace(object.get(name), left);
            }
        } else if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                if (left[0]-- == 0) {
                    array.set(i, Json.text("@odd@"));
                    return;
                }
                replace(array.get(i), left);
            }
        }
    }
}
