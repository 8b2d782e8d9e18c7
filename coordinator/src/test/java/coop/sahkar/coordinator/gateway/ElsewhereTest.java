package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.v1.RunRequest;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** A stream over HTTP whose coordinator is lost goes on at another one. */
class ElsewhereTest {
    private static final String BODY = GatewayFixture.chat(",\"stream\":true");

    /** What the prompt is taken to have: "What is a worker?" has 17 bytes. */
    private static final long PROMPT = 13;

    private final GatewayFixture fixture = new GatewayFixture();
    private final Gateway other =
            Gateway.start(
                    fixture.pool,
                    GatewayOptions.defaults().at("127.0.0.1", 0).with(GatewayFixture.SHORT));
    private final Caller elsewhere = new Caller(other.url());
    private final ScriptedHead head = fixture.head("a", ElsewhereTest::stuck);

    @BeforeEach
    void sign() throws GeneralSecurityException {
        fixture.pool.signer = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    }

    @AfterEach
    void close() {
        elsewhere.close();
        other.close();
        fixture.close();
    }

    @Test
    void theRestFollowsUnderTheSameNameAndIsPaidForOnce() throws Exception {
        List<String> seen = begin();
        fixture.gateway.close();
        head.now(ScriptedHead.saying("A ", "worker ", "works."));

        Caller.Reply rest = resume(BODY, seen.getLast());

        assertThat(rest.status()).isEqualTo(200);
        assertThat(rest.body())
                .doesNotContain("A ", "worker ", "role")
                .contains("works.")
                .endsWith("data: [DONE]\n\n");
        assertThat(answerId(rest.body())).isEqualTo(answerId(String.join("\n", seen)));
        assertThat(head.requests).hasSize(2);
        assertThat(head.requests.getLast().getRequest().getSampling().getSeed())
                .isEqualTo(head.requests.getFirst().getRequest().getSampling().getSeed());
        await().untilAsserted(() -> assertThat(fixture.pool.usage.answerTokens()).isEqualTo(3));
        assertThat(fixture.pool.usage.promptTokens()).isEqualTo(PROMPT);
    }

    @Test
    void aReaderMayGoOnFromAnyEventAndAgain() throws Exception {
        List<String> seen = begin();
        head.now(ScriptedHead.saying("A ", "worker ", "works."));
        String first = resume(BODY, ids(seen).getFirst()).body();
        assertThat(first).contains("A ", "worker ", "works.").doesNotContain("role");
        String third = ids(first.lines().toList()).get(1);

        head.now(ScriptedHead.saying("A ", "worker ", "works."));
        String mark = third.substring(third.indexOf('.', third.indexOf('.') + 1));
        assertThat(resume(BODY, "0123456789abcdef.3" + mark).body())
                .doesNotContain("A ", "worker ")
                .contains("works.");
    }

    @Test
    void aTextThatReadsOtherwiseEndsWithAnError() throws Exception {
        List<String> seen = begin();
        head.now(ScriptedHead.saying("A ", "helper ", "works."));
        assertThat(resume(BODY, seen.getLast()).body())
                .doesNotContain("works.")
                .contains("computed once more it reads otherwise");
    }

    @Test
    void nobodyElseAndNoOtherRequestGoesOnWithIt() throws Exception {
        String seen = begin().getLast();
        assertThat(resume(BODY.replace("worker", "waiter"), seen).status()).isEqualTo(404);
        assertThat(resume(BODY, seen.replaceFirst("\\.[^.]{40}", ".")).status()).isEqualTo(404);
        assertThat(resume(BODY, seen.substring(0, seen.lastIndexOf('.'))).status()).isEqualTo(404);
        HttpRequest stolen =
                HttpRequest.newBuilder(request(elsewhere, BODY, seen), (_, _) -> true)
                        .header("authorization", "Bearer " + ScriptedPool.HOST_KEY)
                        .build();
        assertThat(elsewhere.send(stolen).status()).isEqualTo(404);
        assertThat(head.requests).hasSize(1);
    }

    @Test
    void severalAnswersAtOnceHaveNoMarks() throws Exception {
        head.now(ScriptedHead.saying("A ", "worker"));
        for (String more : List.of(",\"n\":2", ",\"logprobs\":true")) {
            String body = GatewayFixture.chat(more + ",\"stream\":true");
            try (Stream<String> lines = stream(body)) {
                assertThat(lines.filter(line -> line.startsWith("id: ")))
                        .isNotEmpty()
                        .allMatch(line -> line.chars().filter(c -> c == '.').count() == 1);
            }
        }
    }

    private static void stuck(RunRequest request, ScriptedHead.Call call) {
        call.started();
        call.token(0, "A ");
        call.token(1, "worker ");
    }

    /** Reads until "worker " has come, and hangs up. The last line is the id of its event. */
    private List<String> begin() throws Exception {
        List<String> lines = new ArrayList<>();
        try (Stream<String> stream = stream(BODY)) {
            var each = stream.iterator();
            while (lines.isEmpty() || !lines.getLast().contains("worker ")) {
                lines.add(each.next());
            }
        }
        lines.add(ids(lines).getLast());
        return lines;
    }

    private static List<String> ids(List<String> lines) {
        return lines.stream()
                .filter(line -> line.startsWith("id: "))
                .map(line -> line.substring(4))
                .toList();
    }

    private static String answerId(String events) {
        String data =
                events.lines().filter(line -> line.startsWith("data: {")).findFirst().orElse("");
        JsonNode json = Caller.JSON.readTree(data.substring(6));
        return json.get("id").stringValue() + "@" + json.get("created").longValue();
    }

    private Stream<String> stream(String body) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(
                                fixture.caller.postRequest("/v1/chat/completions", body),
                                (_, _) -> true)
                        .header("x-sahkar-resumable", "true")
                        .build();
        return fixture.caller.http().send(request, HttpResponse.BodyHandlers.ofLines()).body();
    }

    private Caller.Reply resume(String body, String seen) {
        return elsewhere.send(request(elsewhere, body, seen));
    }

    private static HttpRequest request(Caller caller, String body, String seen) {
        return HttpRequest.newBuilder(
                        caller.postRequest("/v1/chat/completions", body), (_, _) -> true)
                .header("last-event-id", seen)
                .build();
    }
}
