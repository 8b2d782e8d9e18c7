package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.GenerateRequest;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Several choices, chances of tokens, forms, tokens for text, and what headers tell. */
class BreadthTest {
    private final GatewayFixture fixture = new GatewayFixture();
    private final Caller caller = fixture.caller;

    @AfterEach
    void close() {
        fixture.close();
    }

    private static ScriptedHead.Script likely() {
        return (_, call) -> {
            call.started();
            call.likelyToken(0, "A ");
            call.likelyToken(1, "worker");
            call.finished(FinishReason.FINISH_REASON_STOP, 3);
        };
    }

    @Test
    void severalChoicesComeEachWithItsSeed() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("A ", "worker"));
        JsonNode json = caller.chat(GatewayFixture.chat(",\"n\":3,\"seed\":7")).json();
        assertThat(json.get("choices").size()).isEqualTo(3);
        for (int i = 0; i < 3; i++) {
            assertThat(json.get("choices").get(i).get("index").intValue()).isEqualTo(i);
            assertThat(json.at("/choices/%d/message/content".formatted(i)).stringValue())
                    .isEqualTo("A worker");
        }
        assertThat(json.get("usage").toString())
                .isEqualTo(
                        "{\"prompt_tokens\":7,\"completion_tokens\":6,\"total_tokens\":13,"
                                + "\"prompt_tokens_details\":{\"cached_tokens\":0}}");
        assertThat(head.requests.stream().map(r -> r.getRequest().getSampling().getSeed()))
                .containsExactlyInAnyOrder(7L, 8L, 9L);
    }

    @Test
    void severalChoicesStreamSideBySide() {
        fixture.head("a", ScriptedHead.saying("A ", "worker"));
        List<String> frames = caller.chat(GatewayFixture.chat(",\"n\":2,\"stream\":true")).frames();
        assertThat(frames).hasSize(9).last().isEqualTo("[DONE]");
        for (int i = 0; i < 2; i++) {
            int index = i;
            StringBuilder text = new StringBuilder();
            frames.stream()
                    .filter(frame -> !frame.equals("[DONE]"))
                    .map(frame -> Caller.JSON.readTree(frame).get("choices").get(0))
                    .filter(choice -> choice.get("index").intValue() == index)
                    .forEach(choice -> text.append(choice.at("/delta/content").asString("")));
            assertThat(text).hasToString("A worker");
        }
    }

    @Test
    void oneChoiceThatFailsEndsTheOthers() {
        CountDownLatch otherRuns = new CountDownLatch(1);
        ScriptedHead head =
                fixture.head(
                        "a",
                        (request, call) -> {
                            call.started();
                            if (request.getRequest().getSampling().getSeed() != 8) {
                                otherRuns.countDown();
                            } else {
                                awaitOther(otherRuns);
                                call.out.onNext(
                                        Problems.failedEvent(
                                                Problem.of(Problem.Kind.INTERNAL, "It broke."),
                                                ""));
                                call.out.onCompleted();
                            }
                        });
        Caller.Reply reply = caller.chat(GatewayFixture.chat(",\"n\":2,\"seed\":7"));
        assertThat(reply.status()).isEqualTo(500);
        org.awaitility.Awaitility.await()
                .until(() -> head.calls.stream().anyMatch(call -> call.cancelled.getCount() == 0));
    }

    private static void awaitOther(CountDownLatch runs) {
        try {
            assertThat(runs.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void chancesOfTokensAreTold() {
        ScriptedHead head = fixture.head("a", likely());
        JsonNode json =
                caller.chat(GatewayFixture.chat(",\"logprobs\":true,\"top_logprobs\":1")).json();
        assertThat(head.requests.getFirst().getRequest().getSampling().getChances()).isEqualTo(2);
        JsonNode content = json.at("/choices/0/logprobs/content");
        assertThat(content.size()).isEqualTo(2);
        assertThat(content.get(0).toString())
                .isEqualTo(
                        "{\"token\":\"A \",\"logprob\":-0.5,\"bytes\":[65,32],\"top_logprobs\":"
                                + "[{\"token\":\"other\",\"logprob\":-0.25,\"bytes\":[111,116,104,101,114]}]}");
        List<String> frames =
                caller.chat(GatewayFixture.chat(",\"logprobs\":true,\"stream\":true")).frames();
        assertThat(Caller.JSON.readTree(frames.get(1)).at("/choices/0/logprobs/content/0/token"))
                .hasToString("\"A \"");
        JsonNode old =
                caller.post(
                                "/v1/completions",
                                "{\"model\":\"tiny-Q8_0\",\"prompt\":\"x\",\"logprobs\":1}")
                        .json();
        assertThat(old.at("/choices/0/logprobs").toString())
                .isEqualTo(
                        "{\"tokens\":[\"A \",\"worker\"],\"token_logprobs\":[-0.5,-0.5],"
                                + "\"top_logprobs\":[{\"other\":-0.25},{\"other\":-0.25}],"
                                + "\"text_offset\":[0,2]}");
    }

    @Test
    void aFormBecomesAGrammar() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("{}"));
        caller.chat(GatewayFixture.chat(",\"response_format\":{\"type\":\"json_object\"}"));
        caller.chat(
                GatewayFixture.chat(
                        ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\","
                                + "\"schema\":{\"enum\":[\"a\",1]}}}"));
        assertThat(head.requests.stream().map(r -> r.getRequest().getSampling().getGrammar()))
                .satisfiesExactly(
                        any -> assertThat(any).contains("root ::= object"),
                        one -> assertThat(one).contains("\"\\\"a\\\"\" | \"1\""));
    }

    @Test
    void textIsCutAndJoinedInBothShapes() {
        fixture.head("a", ScriptedHead.saying("A"));
        assertThat(caller.post("/tokenize", "{\"prompt\":\"hi\"}").body())
                .isEqualTo(
                        "{\"count\":3,\"max_model_len\":512,\"tokens\":[94,104,105],\"token_strs\":null}");
        assertThat(caller.post("/tokenize", "{\"content\":\"hi\",\"with_pieces\":true}").body())
                .isEqualTo(
                        "{\"tokens\":[{\"id\":104,\"piece\":\"h\"},{\"id\":105,\"piece\":\"i\"}]}");
        assertThat(caller.post("/detokenize", "{\"tokens\":[104,105]}").body())
                .isEqualTo("{\"prompt\":\"hi\",\"content\":\"hi\"}");
        assertThat(caller.post("/tokenize", "{\"model\":\"gpt-9\",\"prompt\":\"x\"}").status())
                .isEqualTo(404);
        assertThat(caller.post("/detokenize", "{\"tokens\":[-1]}").status()).isEqualTo(400);
        assertThat(fixture.pool.released).as("no room is kept").isNotEmpty();
    }

    @Test
    void headersTellTheRouteUnlessItIsOff() {
        fixture.head("a", ScriptedHead.saying("A"));
        Caller.Reply whole = caller.chat(GatewayFixture.chat(""));
        assertThat(whole.header("x-sahkar-route")).isEqualTo("a__b;blocks=0-5");
        assertThat(whole.header("x-sahkar-first-token-ms")).isEqualTo("0");
        Caller.Reply stream = caller.chat(GatewayFixture.chat(",\"stream\":true"));
        assertThat(stream.header("x-sahkar-route")).isEqualTo("a__b;blocks=0-5");
        try (Gateway silent =
                        Gateway.start(
                                fixture.pool,
                                GatewayOptions.defaults()
                                        .at("127.0.0.1", 0)
                                        .withRoutesTold(false)
                                        .withCors(List.of("https://example.org")));
                Caller other = new Caller(silent.url())) {
            Caller.Reply quiet = other.chat(GatewayFixture.chat(""));
            assertThat(quiet.status()).isEqualTo(200);
            assertThat(quiet.raw().headers().map().keySet())
                    .noneMatch(name -> name.startsWith("x-sahkar-"));
            assertThat(origin(other, "https://example.org")).isEqualTo("https://example.org");
            assertThat(origin(other, "https://elsewhere.example")).isEmpty();
        }
    }

    private static String origin(Caller caller, String origin) {
        return caller.send(caller.request("/v1/models").header("origin", origin).build())
                .header("access-control-allow-origin");
    }

    @Test
    void aStreamGoesOnBehindTheLastEventSeen() throws Exception {
        var more = new java.util.concurrent.CountDownLatch(1);
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "A ");
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    more.await();
                                } catch (InterruptedException e) {
                                    throw new IllegalStateException(e);
                                }
                                call.token(1, "worker ");
                                call.token(2, "works.");
                                call.finished(FinishReason.FINISH_REASON_STOP, 3);
                            });
                });
        String body = GatewayFixture.chat(",\"stream\":true");
        String seen;
        try (var lines = stream(body)) {
            seen =
                    lines.dropWhile(line -> !line.contains("A "))
                            .findFirst()
                            .map(_ -> "2")
                            .orElseThrow();
        }
        String id = shelfId.get();
        more.countDown();
        Caller.Reply rest = resume(body, id + "." + seen);
        assertThat(rest.status()).isEqualTo(200);
        assertThat(rest.body())
                .doesNotContain("A ")
                .contains("id: " + id + ".3\ndata: ")
                .contains("worker ", "works.")
                .endsWith("data: [DONE]\n\n");
        assertThat(resume(body, id + ".3").body()).doesNotContain("worker ").contains("works.");
        for (String wrong : List.of("x", "x.1", id + ".999", id + ".x")) {
            assertThat(resume(body, wrong).status()).as(wrong).isEqualTo(404);
        }
    }

    private final java.util.concurrent.atomic.AtomicReference<String> shelfId =
            new java.util.concurrent.atomic.AtomicReference<>("");

    /** The lines of a resumable stream; closing them hangs up. */
    private java.util.stream.Stream<String> stream(String body) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(
                                caller.postRequest("/v1/chat/completions", body), (_, _) -> true)
                        .header("x-sahkar-resumable", "true")
                        .build();
        return caller.http()
                .send(request, HttpResponse.BodyHandlers.ofLines())
                .body()
                .peek(line -> {
                    if (line.startsWith("id: ")) {
                        shelfId.set(line.substring(4, line.lastIndexOf('.')));
                    }
                });
    }

    private Caller.Reply resume(String body, String seen) {
        return caller.send(
                HttpRequest.newBuilder(
                                caller.postRequest("/v1/chat/completions", body), (_, _) -> true)
                        .header("last-event-id", seen)
                        .build());
    }

    @Test
    void ollamaChatsInLinesAndWhole() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("A ", "worker"));
        String body =
                "{\"model\":\"tiny-Q8_0:latest\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
                        + "\"options\":{\"num_predict\":5,\"seed\":3,\"num_ctx\":2048}%s}";
        Caller.Reply reply = caller.post("/api/chat", body.formatted(""));
        assertThat(reply.header("content-type")).startsWith("application/x-ndjson");
        List<JsonNode> lines =
                reply.body().lines().map(line -> Caller.JSON.readTree(line)).toList();
        assertThat(lines).hasSize(3);
        assertThat(lines.getFirst().at("/message/content").stringValue()).isEqualTo("A ");
        assertThat(lines.getLast().get("done").booleanValue()).isTrue();
        assertThat(lines.getLast().get("eval_count").intValue()).isEqualTo(2);
        JsonNode whole = caller.post("/api/chat", body.formatted(",\"stream\":false")).json();
        assertThat(whole.at("/message/content").stringValue()).isEqualTo("A worker");
        assertThat(whole.get("done_reason").stringValue()).isEqualTo("stop");
        GenerateRequest request = head.requests.getFirst().getRequest();
        assertThat(request.getMaxTokens()).isEqualTo(5);
        assertThat(request.getSampling().getSeed()).isEqualTo(3);
        assertThat(request.getSampling().getTopK()).isEqualTo(40);
        assertThat(request.getSampling().getTemperature()).isEqualTo(0.8f);
    }

    @Test
    void ollamaRefusesWithAWait() {
        fixture.pool.refusal = new Problem(Problem.Kind.OVERLOADED, "All are full.", "", 2_500);
        for (String more : List.of("", ",\"stream\":false")) {
            String body = "{\"model\":\"tiny-Q8_0\",\"prompt\":\"p\"" + more + "}";
            Caller.Reply reply = caller.post("/api/generate", body);
            assertThat(reply.status()).isEqualTo(429);
            assertThat(reply.header("retry-after")).isEqualTo("3");
            assertThat(reply.json().get("error").stringValue()).isEqualTo("All are full.");
        }
        Caller.Reply missing = caller.post("/api/show", "{\"model\":\"gpt-9\"}");
        assertThat(missing.header("retry-after")).isEmpty();
    }

    @Test
    void ollamaGeneratesListsAndRefuses() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("A ", "worker"));
        JsonNode whole =
                caller.post(
                                "/api/generate",
                                "{\"model\":\"tiny-Q8_0\",\"system\":\"s\",\"prompt\":\"p\",\"stream\":false}")
                        .json();
        assertThat(whole.get("response").stringValue()).isEqualTo("A worker");
        assertThat(head.requests.getFirst().getRequest().getChat().getMessagesCount()).isEqualTo(2);
        caller.post("/api/generate", "{\"model\":\"tiny-Q8_0\",\"raw\":true,\"prompt\":\"p\"}");
        assertThat(head.requests.getLast().getRequest().getPrompt()).isEqualTo("p");
        assertThat(
                        caller.post("/api/generate", "{\"model\":\"tiny-Q8_0\"}")
                                .json()
                                .get("done_reason"))
                .hasToString("\"load\"");
        assertThat(caller.get("/api/tags").json().at("/models/0/name"))
                .hasToString("\"tiny-Q8_0\"");
        assertThat(caller.get("/api/version").json().get("version").stringValue()).isNotEmpty();
        assertThat(caller.post("/api/show", "{\"model\":\"tiny-Q8_0\"}").json().get("capabilities"))
                .hasToString("[\"completion\",\"tools\"]");
        Caller.Reply missing = caller.post("/api/show", "{\"model\":\"gpt-9\"}");
        assertThat(missing.status()).isEqualTo(404);
        assertThat(missing.json().get("error").isString()).isTrue();
        assertThat(
                        caller.post(
                                        "/api/generate",
                                        "{\"model\":\"tiny-Q8_0\",\"prompt\":\"p\",\"images\":[\"x\"]}")
                                .status())
                .isEqualTo(400);
    }
}
