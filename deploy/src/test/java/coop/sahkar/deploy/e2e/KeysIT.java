package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.client.Completion;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceException;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.deploy.demo.Distribution;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A pool of real processes that serves callers with keys only, everybody as talkative as can be.
 * Afterwards prompts, answers and keys are looked for in everything that was printed and in every
 * file.
 */
class KeysIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MARKER = "Zwetschgendatschi-4711";
    private static final String QUESTION = "Say: Mina likes the turtle 7. " + MARKER;

    @TempDir private Path folder = Path.of("");

    private final List<String> secrets = new ArrayList<>(List.of(MARKER));
    private Path scratch = Path.of("");
    private Distribution person = new Distribution(Path.of(""));

    @Test
    void keysAreAskedForLimitedAndRevokedAndNothingThatWasSaidIsKept() throws Exception {
        scratch = Files.createDirectories(folder.resolve("pool"));
        person = new Distribution(Files.createDirectories(folder.resolve("person")));
        try (TestPool pool = TestPool.talkative(scratch)) {
            pool.startWorker("worker-1", "-vv");
            pool.startWorker("worker-2", "-vv");
            pool.awaitPresent(2);
            pool.publish(Distribution.bundledModel(), 2);
            run(pool, "policy", "set", "anonymous=off", "tiers.member.requests_per_minute=8");
            String key = run(pool, "keys", "create", "--account", "asha").strip();
            secrets.add(key);
            asks(pool, key);
            revokes(pool, key);
            assertThat(pool.logs()).as("said everything").contains("DEBUG");
        }
        nothingIsKept();
    }

    private void asks(TestPool pool, String key) throws Exception {
        assertThat(chat(pool, "none", "").statusCode()).isEqualTo(401);
        try (InferenceClient stranger = InferenceClient.connect(pool.address());
                InferenceClient asha =
                        InferenceClient.builder()
                                .addresses(List.of(pool.address()))
                                .key(key)
                                .build()) {
            InferenceRequest request = InferenceRequest.ask(pool.model(), QUESTION);
            assertThatThrownBy(() -> stranger.complete(request))
                    .isInstanceOf(InferenceException.Unauthorized.class);
            Completion answer = asha.complete(request);
            said(answer.text());
        }
        JsonNode whole = JSON.readTree(chat(pool, key, "").body());
        said(whole.at("/choices/0/message/content").stringValue());
        assertThat(chat(pool, key, "stream").body()).contains("data: [DONE]");
        assertThat(chat(pool, key, MARKER).statusCode()).isEqualTo(200); // an unknown field
        HttpResponse<String> wrong = post(pool, key, "/v1/chat/completions", "{\"" + MARKER);
        assertThat(wrong.statusCode()).isEqualTo(400);
        ObjectNode kept = JSON.createObjectNode().put("model", pool.model()).put("input", QUESTION);
        assertThat(post(pool, key, "/v1/responses", kept.toString()).statusCode()).isEqualTo(200);
        ObjectNode plain =
                JSON.createObjectNode().put("model", pool.model()).put("prompt", QUESTION);
        assertThat(post(pool, key, "/api/generate", plain.toString()).statusCode()).isEqualTo(200);
        assertThat(run(pool, "usage")).contains("asha", "member");
        HttpResponse<String> last = chat(pool, key, "");
        for (int i = 0; i < 40 && last.statusCode() == 200; i++) {
            last = chat(pool, key, "");
        }
        assertThat(last.statusCode()).isEqualTo(429);
        assertThat(last.headers().firstValueAsLong("retry-after").orElse(0)).isBetween(1L, 61L);
    }

    private void said(String answer) {
        assertThat(answer.strip()).hasSizeGreaterThan(12);
        secrets.add(answer.strip());
    }

    private void revokes(TestPool pool, String key) throws Exception {
        String list = run(pool, "keys", "list");
        assertThat(list).contains("asha", "good").doesNotContain(key);
        String id =
                list.lines()
                        .filter(line -> line.contains("asha"))
                        .map(line -> line.substring(0, line.indexOf(' ')))
                        .findFirst()
                        .orElseThrow();
        run(pool, "keys", "revoke", id);
        assertThat(chat(pool, key, "").statusCode()).isEqualTo(401);
    }

    private void nothingIsKept() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(scratch)) {
            files = all.filter(Files::isRegularFile).toList();
        }
        assertThat(files).hasSizeGreaterThan(10);
        for (Path file : files) {
            String content = Files.readString(file, StandardCharsets.ISO_8859_1);
            for (String secret : secrets) {
                String bytes =
                        new String(
                                secret.getBytes(StandardCharsets.UTF_8),
                                StandardCharsets.ISO_8859_1);
                assertThat(content.contains(bytes)).as("%s in %s", secret, file).isFalse();
            }
        }
    }

    /** What a command says, as the user who runs the coordinator. */
    private String run(TestPool pool, String... command) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(command));
        arguments.addAll(List.of("--coordinator", pool.address()));
        arguments.addAll(List.of("--data", scratch.resolve("coordinator").toString()));
        Distribution.Run run = person.run(arguments.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run.out();
    }

    private static HttpResponse<String> chat(TestPool pool, String key, String more)
            throws Exception {
        ObjectNode body = JSON.createObjectNode().put("model", pool.model());
        body.putArray("messages").addObject().put("role", "user").put("content", QUESTION);
        body.put("max_tokens", 24);
        if (!more.isEmpty()) {
            body.put(more, true);
        }
        return post(pool, key, "/v1/chat/completions", body.toString());
    }

    private static HttpResponse<String> post(TestPool pool, String key, String path, String body)
            throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(
                    HttpRequest.newBuilder(URI.create("http://" + pool.address() + path))
                            .timeout(Duration.ofSeconds(60))
                            .header("content-type", "application/json")
                            .header("authorization", "Bearer " + key)
                            .POST(HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }
}
