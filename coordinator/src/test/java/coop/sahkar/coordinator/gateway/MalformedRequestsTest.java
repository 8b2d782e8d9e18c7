package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Bad requests of every kind: 4xx in OpenAI's error shape, with the field at fault, and no 5xx. */
class MalformedRequestsTest {
    private static final String CHAT = "/v1/chat/completions";
    private static GatewayFixture fixture;

    @BeforeAll
    static void open() {
        fixture = new GatewayFixture();
        fixture.head("a", ScriptedHead.saying("fine"));
    }

    @AfterAll
    static void close() {
        fixture.close();
    }

    /** A field put into an otherwise good chat request, and the param the refusal must name. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "\"temperature\":\"hot\"                 | temperature",
                "\"temperature\":-0.1                    | temperature",
                "\"temperature\":1e300                   | temperature",
                "\"temperature\":1e999                   | temperature",
                "\"temperature\":true                    | temperature",
                "\"temperature\":[1]                     | temperature",
                "\"top_p\":1.01                          | top_p",
                "\"top_p\":-1                            | top_p",
                "\"top_p\":{}                            | top_p",
                "\"top_k\":-2                            | top_k",
                "\"top_k\":1.5                           | top_k",
                "\"top_k\":99999999999                   | top_k",
                "\"min_p\":2                             | min_p",
                "\"typical_p\":-3                        | typical_p",
                "\"repetition_penalty\":0                | repetition_penalty",
                "\"repetition_penalty\":1000             | repetition_penalty",
                "\"frequency_penalty\":2.1               | frequency_penalty",
                "\"presence_penalty\":-2.1               | presence_penalty",
                "\"penalty_window\":-5                   | penalty_window",
                "\"max_tokens\":0                        | max_tokens",
                "\"max_tokens\":-1                       | max_tokens",
                "\"max_tokens\":\"10\"                   | max_tokens",
                "\"max_tokens\":10.5                     | max_tokens",
                "\"max_tokens\":1e18                     | max_tokens",
                "\"max_tokens\":513                     | max_tokens",
                "\"max_completion_tokens\":false         | max_completion_tokens",
                "\"seed\":\"x\"                          | seed",
                "\"seed\":99999999999999999999           | seed",
                "\"seed\":0.5                            | seed",
                "\"stream\":\"yes\"                      | stream",
                "\"stream\":1                            | stream",
                "\"stream_options\":{}                   | stream_options",
                "\"stream\":true,\"stream_options\":[]   | stream_options",
                "\"stream\":true,\"stream_options\":{\"include_usage\":1}|stream_options.include_usage",
                "\"stop\":5                              | stop",
                "\"stop\":[1]                            | stop",
                "\"stop\":\"\"                           | stop",
                "\"stop\":[\"\"]                         | stop",
                "\"stop\":{\"a\":1}                      | stop",
                "\"logit_bias\":[]                       | logit_bias",
                "\"logit_bias\":{\"a\":1}                | logit_bias",
                "\"logit_bias\":{\"-1\":1}               | logit_bias",
                "\"logit_bias\":{\"1\":\"x\"}            | logit_bias",
                "\"logit_bias\":{\"1\":101}              | logit_bias",
                "\"n\":9                                 | n",
                "\"n\":0                                 | n",
                "\"n\":\"1\"                             | n",
                "\"best_of\":3                           | best_of",
                "\"top_logprobs\":2                      | top_logprobs",
                "\"logprobs\":true,\"top_logprobs\":21   | top_logprobs",
                "\"logprobs\":1                          | logprobs",
                "\"service_tier\":\"flex\"             | service_tier",
                "\"parallel_tool_calls\":\"no\"         | parallel_tool_calls",
                "\"response_format\":{}                 | response_format.type",
                "\"response_format\":{\"type\":\"xml\"}|response_format.type",
                "\"response_format\":{\"type\":\"json_schema\"}|response_format.json_schema.schema",
                "\"response_format\":\"text\"            | response_format",
                "\"tools\":[{\"type\":\"function\"}]     | tools[0].function",
                "\"tools\":[{}]                         | tools[0].type",
                "\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"f\"}}]|tools[0].type",
                "\"tools\":[{\"type\":\"function\",\"function\":{}}]|tools[0].function.name",
                "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]|tools[0].function.name",
                "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":1}}]|tools[0].function.description",
                "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":[]}}]|tools[0].function.parameters",
                "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"array\"}}}]|tools[0].function.parameters",
                "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"strict\":1}}]|tools[0].function.strict",
                "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}},{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]|tools[1].function.name",
                "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],\"tool_choice\":\"any\"|tool_choice",
                "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"g\"}}|tool_choice",
                "\"tool_choice\":{\"type\":\"allowed_tools\"}|tool_choice",
                "\"tools\":5                             | tools",
                "\"tool_choice\":\"required\"            | tool_choice",
                "\"functions\":[{}]                      | functions",
                "\"function_call\":{\"name\":\"f\"}      | function_call",
                "\"audio\":{\"voice\":\"x\"}             | audio",
                "\"modalities\":[\"text\",\"audio\"]     | modalities",
                "\"prediction\":{}                       | prediction",
                "\"reasoning_effort\":\"high\"           | reasoning_effort",
                "\"store\":true                          | store",
                "\"user\":7                              | user",
                "\"metadata\":\"x\"                      | metadata",
            })
    void oneBadFieldIsNamed(String field, String param) {
        assertRefused(fixture.caller.chat(GatewayFixture.chat("," + field)), 400, param);
    }

    /** Bodies that are wrong as a whole, or in model or messages. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "''                                                             | ''",
                "'   '                                                          | ''",
                "{                                                              | ''",
                "not json                                                       | ''",
                "null                                                           | ''",
                "[]                                                             | ''",
                "5                                                              | ''",
                "{\"a\":NaN}                                                    | ''",
                "{\"a\":1}{\"b\":2}                                             | ''",
                "{\"model\":\"m\",\"model\":\"m\"}                              | ''",
                "{\"a\":\"\\x\"}                                                | ''",
                "{}                                                             | model",
                "{\"model\":null}                                               | model",
                "{\"model\":5}                                                  | model",
                "{\"model\":\"\"}                                               | model",
                "{\"model\":\"tiny-Q8_0\"}                                      | messages",
                "{\"model\":\"tiny-Q8_0\",\"messages\":null}                    | messages",
                "{\"model\":\"tiny-Q8_0\",\"messages\":\"hi\"}                  | messages",
                "{\"model\":\"tiny-Q8_0\",\"messages\":[]}                      | messages",
                "{\"model\":\"tiny-Q8_0\",\"messages\":[5]}                     | messages[0]",
                "{\"model\":\"tiny-Q8_0\",\"messages\":[{}]}                    | messages[0].role",
                "{\"model\":\"m\",\"messages\":[{\"role\":1,\"content\":\"\"}]} | messages[0].role",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"king\",\"content\":\"\"}]}|messages[0].role",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"tool\",\"content\":\"\"}]}|messages[0].tool_call_id",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"x\",\"content\":\"\"}]}|messages[0].tool_call_id",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"function\",\"content\":\"\"}]}|messages[0].role",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\"}]}           | messages[0].content",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":5}]}|messages[0].content",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[5]}]}|messages[0].content[0]",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}|messages[0].content[0].type",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]}|messages[0].content[0].text",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}|messages[0].content",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{}]}]}|messages[0].tool_calls[0]",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":{\"a\":1}}]}|messages[0].tool_calls",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[]}]}|messages[0].content",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\",\"tool_calls\":[{\"id\":\"a\"}]}]}|messages[0].tool_calls",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}]}|messages[0].tool_calls[0].id",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":{}}}]}]}|messages[0].tool_calls[0].function.arguments",
            })
    void aBadBodyIsExplained(String body, String param) {
        assertRefused(fixture.caller.chat(body), 400, param);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "\"prompt\":null        | prompt",
                "\"prompt\":5           | prompt",
                "\"prompt\":\"\"        | prompt",
                "\"prompt\":[]          | prompt",
                "\"prompt\":[1,2]       | prompt",
                "\"prompt\":[\"a\",\"b\"]|prompt",
                "\"prompt\":\"a\",\"suffix\":\"b\"|suffix",
                "\"prompt\":\"a\",\"echo\":true|echo",
                "\"prompt\":\"a\",\"logprobs\":6|logprobs",
                "\"prompt\":\"a\",\"best_of\":2|best_of",
                "\"prompt\":\"a\",\"top_logprobs\":2|top_logprobs",
                "\"prompt\":\"a\",\"tools\":[{}]|tools",
                "\"prompt\":\"a\",\"tool_choice\":\"required\"|tool_choice",
            })
    void completionsToo(String fields, String param) {
        String body = "{\"model\":\"tiny-Q8_0\"," + fields + "}";
        assertRefused(fixture.caller.post("/v1/completions", body), 400, param);
    }

    @Test
    void anUnknownModelIsNotFound() {
        Caller.Reply reply =
                fixture.caller.chat(
                        "{\"model\":\"gpt-9\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");
        assertRefused(reply, 404, "model");
        assertThat(reply.json().get("error").get("code").stringValue())
                .isEqualTo("model_not_found");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v2/models", "/v1/nothing", "/v1/chat", "/sahkar.v1.Pool/Nothing"})
    void anUnknownPathIsNotFound(String path) {
        assertRefused(fixture.caller.get(path), 404, "");
    }

    @Test
    void aWrongMethodIsNamed() {
        Caller.Reply reply = fixture.caller.get(CHAT);
        assertRefused(reply, 405, "");
        assertThat(reply.header("allow")).isEqualTo("POST");
        assertRefused(fixture.caller.post("/v1/models", "{}"), 405, "");
    }

    @Test
    void anotherContentTypeIsRefused() {
        HttpRequest form =
                fixture.caller
                        .request(CHAT)
                        .header("content-type", "application/x-www-form-urlencoded")
                        .POST(HttpRequest.BodyPublishers.ofString("model=m"))
                        .build();
        assertRefused(fixture.caller.send(form), 415, "");
    }

    @Test
    void aBodyBeyondTheLimitIsTooLarge() {
        String body = "\"" + "x".repeat(GatewayLimits.MAX_REQUEST_BYTES) + "\"";
        assertRefused(fixture.caller.chat(body), 413, "");
    }

    @Test
    void aPromptBeyondTheLimitIsRefusedByName() {
        String body =
                "{\"model\":\"tiny-Q8_0\",\"prompt\":\"%s\"}"
                        .formatted("x".repeat(5 * 1024 * 1024));
        assertRefused(fixture.caller.post("/v1/completions", body), 400, "prompt");
    }

    @Test
    void deepNestingAndLongNumbersAreRefused() {
        String deep = "[".repeat(5_000) + "]".repeat(5_000);
        assertRefused(fixture.caller.chat("{\"model\":" + deep + "}"), 400, "");
        String digits = "1".repeat(10_000);
        assertRefused(fixture.caller.chat("{\"model\":" + digits + "}"), 400, "");
    }

    @Test
    void bytesThatAreNotUtf8AreRefused() {
        byte[] body = "{\"model\":\"\u00e4\"}".getBytes(StandardCharsets.ISO_8859_1);
        HttpRequest request =
                fixture.caller
                        .request(CHAT)
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                        .build();
        assertRefused(fixture.caller.send(request), 400, "");
    }

    @Test
    void manyStopsAndBiasesAreRefused() {
        String stops = "[" + "\"s\",".repeat(16) + "\"s\"]";
        assertRefused(fixture.caller.chat(GatewayFixture.chat(",\"stop\":" + stops)), 400, "stop");
        StringBuilder bias = new StringBuilder("{\"0\":1");
        for (int i = 1; i <= 1_024; i++) {
            bias.append(",\"").append(i).append("\":1");
        }
        assertRefused(
                fixture.caller.chat(GatewayFixture.chat(",\"logit_bias\":" + bias + "}")),
                400,
                "logit_bias");
    }

    private static void assertRefused(Caller.Reply reply, int status, String param) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(status);
        assertThat(reply.header("content-type")).startsWith("application/json");
        assertThat(reply.header("x-request-id")).isNotEmpty();
        JsonNode error = reply.json().get("error");
        assertThat(error.propertyNames()).containsExactly("message", "type", "param", "code");
        assertThat(error.get("message").stringValue()).isNotBlank();
        assertThat(error.get("type").stringValue()).isEqualTo("invalid_request_error");
        if (param.isEmpty()) {
            assertThat(error.get("param").isNull()).isTrue();
        } else {
            assertThat(error.get("param").stringValue()).isEqualTo(param);
        }
    }
}
