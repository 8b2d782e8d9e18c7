package coop.sahkar.coordinator.gateway;

import static java.net.http.HttpRequest.BodyPublishers.noBody;
import static org.assertj.core.api.Assertions.assertThat;

import com.linecorp.armeria.client.ClientFactory;
import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.SamplingMessage;
import java.net.http.HttpRequest;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What the HTTP API answers when all is well, and the plain refusals. */
class AnswersTest {
    private final GatewayFixture fixture = new GatewayFixture();
    private final Caller caller = fixture.caller;

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void aChatAnswersInOnePiece() {
        fixture.head("a", ScriptedHead.saying("A ", "worker ", "works. ✓"));
        Caller.Reply reply = caller.chat(GatewayFixture.chat(""));
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.header("content-type")).startsWith("application/json");
        assertThat(reply.header("x-request-id")).startsWith("req-");
        JsonNode json = reply.json();
        assertThat(json.get("id").stringValue()).startsWith("chatcmpl-");
        assertThat(json.get("object").stringValue()).isEqualTo("chat.completion");
        assertThat(json.get("created").longValue()).isGreaterThan(1_700_000_000L);
        assertThat(json.get("model").stringValue()).isEqualTo(ScriptedPool.MODEL);
        JsonNode choice = json.get("choices").get(0);
        assertThat(choice.get("index").intValue()).isZero();
        assertThat(choice.get("finish_reason").stringValue()).isEqualTo("stop");
        assertThat(choice.get("message").get("role").stringValue()).isEqualTo("assistant");
        assertThat(choice.get("message").get("content").stringValue())
                .isEqualTo("A worker works. ✓");
        assertThat(json.get("usage").toString())
                .isEqualTo(
                        "{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10,\"prompt_tokens_details\":{\"cached_tokens\":0}}");
    }

    @Test
    void aChatStreamsAsOpenAiDoes() {
        fixture.head("a", ScriptedHead.saying("A ", "", "worker"));
        Caller.Reply reply =
                caller.chat(
                        GatewayFixture.chat(
                                ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.header("content-type")).startsWith("text/event-stream");
        List<String> frames = reply.frames();
        assertThat(frames).hasSize(6).last().isEqualTo("[DONE]");
        JsonNode first = Caller.JSON.readTree(frames.getFirst());
        assertThat(first.get("object").stringValue()).isEqualTo("chat.completion.chunk");
        assertThat(first.get("choices").get(0).get("delta").toString())
                .isEqualTo("{\"role\":\"assistant\",\"content\":\"\"}");
        assertThat(first.get("usage").isNull()).isTrue();
        assertThat(delta(frames.get(1))).isEqualTo("{\"content\":\"A \"}");
        assertThat(delta(frames.get(2))).isEqualTo("{\"content\":\"worker\"}");
        JsonNode last = Caller.JSON.readTree(frames.get(3)).get("choices").get(0);
        assertThat(last.get("delta").toString()).isEqualTo("{}");
        assertThat(last.get("finish_reason").stringValue()).isEqualTo("stop");
        JsonNode usage = Caller.JSON.readTree(frames.get(4));
        assertThat(usage.get("choices").isEmpty()).isTrue();
        assertThat(usage.get("usage").get("total_tokens").intValue()).isEqualTo(10);
    }

    private static String delta(String frame) {
        return Caller.JSON.readTree(frame).get("choices").get(0).get("delta").toString();
    }

    @Test
    void aStreamWithoutUsageHasNone() {
        fixture.head("a", ScriptedHead.saying("A"));
        Caller.Reply reply = caller.chat(GatewayFixture.chat(",\"stream\":true"));
        assertThat(reply.body()).doesNotContain("usage").endsWith("data: [DONE]\n\n");
    }

    @Test
    void aCompletionAnswersEitherWay() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "once");
                    call.finished(FinishReason.FINISH_REASON_LENGTH, 1);
                });
        String body = "{\"model\":\"tiny-Q8_0\",\"prompt\":[\"Tell\"],\"max_tokens\":1%s}";
        JsonNode whole = caller.post("/v1/completions", body.formatted("")).json();
        assertThat(whole.get("object").stringValue()).isEqualTo("text_completion");
        assertThat(whole.get("id").stringValue()).startsWith("cmpl-");
        assertThat(whole.get("choices").get(0).get("text").stringValue()).isEqualTo("once");
        assertThat(whole.get("choices").get(0).get("finish_reason").stringValue())
                .isEqualTo("length");
        List<String> frames =
                caller.post("/v1/completions", body.formatted(",\"stream\":true")).frames();
        assertThat(frames).hasSize(3);
        assertThat(Caller.JSON.readTree(frames.getFirst()).get("choices").get(0).get("text"))
                .hasToString("\"once\"");
    }

    @Test
    void everyParameterReachesTheHead() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("A"));
        String body =
                """
                {"model":"tiny-Q8_0","messages":[
                  {"role":"developer","content":"Be short."},
                  {"role":"user","name":"ann","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}],
                 "temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.05,"typical_p":0.95,
                 "repeat_penalty":1.1,"frequency_penalty":-0.5,"presence_penalty":0.25,
                 "logit_bias":{"5":-100,"6":2.5},"seed":-42,"stop":["x","y"],"max_tokens":9,
                 "max_completion_tokens":8,"n":1,"user":"u","metadata":{"a":"b"},"tools":[],
                 "response_format":{"type":"text"},"logprobs":false,"tool_choice":null,"unknown":{"x":[1]}}\
                """;
        assertThat(caller.chat(body).status()).isEqualTo(200);
        GenerateRequest request = head.requests.getFirst().getRequest();
        assertThat(request.getModel()).isEqualTo(ScriptedPool.MODEL);
        assertThat(request.getMaxTokens()).isEqualTo(8);
        assertThat(request.getStopList()).containsExactly("x", "y");
        assertThat(request.getChat().getMessages(0).getRole()).isEqualTo("system");
        assertThat(request.getChat().getMessages(1).getContent()).isEqualTo("a\nb");
        assertThat(request.getSampling())
                .isEqualTo(
                        SamplingMessage.newBuilder()
                                .setTemperature(0.5f)
                                .setTopP(0.9f)
                                .setTopK(40)
                                .setMinP(0.05f)
                                .setTypicalP(0.95f)
                                .setRepetitionPenalty(1.1f)
                                .setFrequencyPenalty(-0.5f)
                                .setPresencePenalty(0.25f)
                                .setPenaltyWindow(-1)
                                .putLogitBias(5, -100)
                                .putLogitBias(6, 2.5f)
                                .setSeed(-42)
                                .build());
    }

    @Test
    void withoutASeedEachRequestGetsItsOwn() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("A"));
        caller.chat(GatewayFixture.chat(",\"seed\":null"));
        caller.chat(GatewayFixture.chat(""));
        assertThat(head.requests.stream().map(r -> r.getRequest().getSampling().getSeed()))
                .hasSize(2)
                .doesNotHaveDuplicates()
                .doesNotContain(0L);
        assertThat(head.requests.getFirst().getRequest().getSampling().getTemperature())
                .isEqualTo(1);
    }

    @Test
    void modelsAreListedAndFound() {
        JsonNode list = caller.get("/v1/models").json();
        assertThat(list.get("object").stringValue()).isEqualTo("list");
        assertThat(list.get("data").get(0).get("id").stringValue()).isEqualTo(ScriptedPool.MODEL);
        assertThat(list.get("data").get(0).get("created").longValue()).isEqualTo(1_700_000_000L);
        for (String id :
                List.of(
                        ScriptedPool.MODEL,
                        ScriptedPool.MODEL.replace("@", "%40"),
                        ScriptedPool.NAME)) {
            assertThat(caller.get("/v1/models/" + id).json().get("id").stringValue())
                    .isEqualTo(ScriptedPool.MODEL);
        }
        Caller.Reply missing = caller.get("/v1/models/gpt-4");
        assertThat(missing.status()).isEqualTo(404);
        assertThat(missing.json().get("error").get("code").stringValue())
                .isEqualTo("model_not_found");
    }

    @Test
    void healthFollowsTheCoordinator() {
        assertThat(caller.get("/health/live").status()).isEqualTo(200);
        assertThat(caller.get("/health").status()).isEqualTo(200);
        fixture.pool.ready = false;
        Caller.Reply notReady = caller.get("/health/ready");
        assertThat(notReady.status()).isEqualTo(503);
        assertThat(notReady.json().get("reasons").get(0).stringValue()).contains("leader");
        assertThat(caller.get("/health/live").status()).isEqualTo(200);
    }

    @Test
    void metricsCountWithoutQuoting() {
        fixture.head("a", ScriptedHead.saying("A ", "secret-answer"));
        caller.chat(GatewayFixture.chat(",\"user\":\"secret-user\""));
        caller.get("/nowhere/secret-path");
        String page = caller.get("/metrics").body();
        assertThat(page)
                .contains("sahkar_tokens_prompt_total 7.0")
                .contains("sahkar_tokens_completion_total 2.0")
                .contains("sahkar_generation_first_token_seconds_bucket")
                .contains("sahkar_workers_present 1.0")
                .contains("sahkar_models_ready 1.0")
                .contains("route=\"/v1/chat/completions\",status=\"200\"")
                .contains("gen_ai_server_request_duration_seconds_count")
                .contains("gen_ai_server_time_to_first_token_seconds_bucket")
                .contains("gen_ai_server_time_per_output_token_seconds_bucket")
                .contains("gen_ai_operation_name=\"chat\"")
                .contains("gen_ai_token_type=\"input\"")
                .doesNotContain("secret");
        assertThat(page.replace("gen_ai_response_model=\"" + ScriptedPool.MODEL + "\"", ""))
                .as("the model by the name that the pool has for it, and not elsewhere")
                .doesNotContain(ScriptedPool.NAME);
    }

    @Test
    void thePageForPeopleSaysWhatThisIs() {
        assertThat(caller.get("/").body()).contains("Sahkar").contains("/v1/chat/completions");
    }

    @Test
    void aModelThatLacksBlocksIsRefusedWithWhatIsMissing() {
        Caller.Reply reply = caller.chat(GatewayFixture.chat(",\"stream\":true"));
        assertThat(reply.status()).isEqualTo(503);
        JsonNode error = reply.json().get("error");
        assertThat(error.get("message").stringValue()).contains("[0, 6)").contains("tiny-Q8_0");
        assertThat(error.get("code").stringValue()).isEqualTo("model_incomplete");
    }

    @Test
    void fullWorkersAreRefusedAtOnceWithAWait() {
        fixture.pool.refusal = new Problem(Problem.Kind.OVERLOADED, "All are full.", "", 2_500);
        Caller.Reply reply = caller.chat(GatewayFixture.chat(""));
        assertThat(reply.status()).isEqualTo(429);
        assertThat(reply.header("retry-after")).isEqualTo("3");
        assertThat(reply.json().get("error").get("type").stringValue())
                .isEqualTo("rate_limit_error");
    }

    @Test
    void theContextLimitIsTheCallersFault() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.out.onNext(
                            Problems.failedEvent(
                                    Problem.of(
                                            Problem.Kind.CONTEXT_LENGTH_EXCEEDED,
                                            "600 tokens do not fit a context of 512."),
                                    ""));
                    call.out.onCompleted();
                });
        Caller.Reply reply = caller.chat(GatewayFixture.chat(",\"stream\":true"));
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.json().get("error").get("code").stringValue())
                .isEqualTo("context_length_exceeded");
        assertThat(fixture.pool.draws).hasSize(1);
    }

    /** As a page that uses the openai package from npm does. */
    @Test
    void browsersMayCall() {
        String wanted =
                "authorization,content-type,last-event-id,x-sahkar-resumable,x-stainless-arch,"
                        + "x-stainless-lang,x-stainless-os,x-stainless-package-version,"
                        + "x-stainless-retry-count,x-stainless-runtime,x-stainless-timeout";
        Caller.Reply preflight =
                caller.send(
                        caller.request("/v1/chat/completions")
                                .header("origin", "https://example.org")
                                .header("access-control-request-method", "POST")
                                .header("access-control-request-headers", wanted)
                                .method("OPTIONS", noBody())
                                .build());
        assertThat(preflight.status()).isEqualTo(200);
        assertThat(preflight.header("access-control-allow-origin")).isEqualTo("*");
        assertThat(preflight.header("access-control-allow-methods")).contains("POST");
        assertThat(preflight.header("access-control-allow-headers").split(",\\s*"))
                .containsAll(List.of(wanted.split(",")));
        fixture.head("a", ScriptedHead.saying("A"));
        for (String body : List.of(GatewayFixture.chat(""), "{}")) {
            HttpRequest asked =
                    HttpRequest.newBuilder(
                                    caller.postRequest("/v1/chat/completions", body),
                                    (_, _) -> true)
                            .header("origin", "https://example.org")
                            .build();
            Caller.Reply reply = caller.send(asked);
            assertThat(reply.header("access-control-allow-origin")).isEqualTo("*");
            assertThat(reply.header("access-control-expose-headers"))
                    .contains("x-request-id", "retry-after", "x-should-retry", "x-ratelimit-");
        }
    }

    @Test
    void aCallersOwnRequestIdComesBack() {
        Caller.Reply reply =
                caller.send(caller.request("/v1/models").header("x-request-id", "mine-1").build());
        assertThat(reply.header("x-request-id")).isEqualTo("mine-1");
    }

    @Test
    void aRouteIsReservedForWhatTheRequestCanTake() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("A"));
        caller.post(
                "/v1/completions",
                "{\"model\":\"tiny-Q8_0\",\"prompt\":\"\u00e4bc\",\"max_tokens\":10}");
        caller.chat(GatewayFixture.chat(""));
        caller.chat(GatewayFixture.chat(",\"max_tokens\":512"));
        assertThat(fixture.pool.draws.stream().map(ScriptedPool.Draw::positions))
                .containsExactly(4 + 256 + 10, 17 + 32 + 256 + 200, 17 + 32 + 256 + 512, 0);
        assertThat(head.requests)
                .extracting(run -> run.getRequest().getMaxTokens())
                .as("an answer whose length is not set has the policy's")
                .containsExactly(10, ScriptedPool.ANSWER, 512);
    }

    @Test
    void headersOfHttp2AndOfABodylessHeadRequestWork() {
        try (ClientFactory http2 = ClientFactory.builder().useHttp2Preface(true).build()) {
            String url = fixture.gateway.url().replace("http://", "h2c://");
            AggregatedHttpResponse response =
                    WebClient.builder(url).factory(http2).build().blocking().head("/v1/models");
            assertThat(response.status().code()).isEqualTo(200);
            assertThat(response.headers().get("x-request-id")).isNotBlank();
            assertThat(response.contentUtf8()).isEmpty();
        }
    }
}
