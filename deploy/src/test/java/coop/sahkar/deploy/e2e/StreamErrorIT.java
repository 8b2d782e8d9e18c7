package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.deploy.demo.Distribution;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What an HTTP reader sees, byte for byte, when a worker of the route is lost in the middle of the
 * answer and nobody else holds its blocks: an error in the stream's own shape, then its end.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StreamErrorIT {
    private static final String CHAT = "/v1/chat/completions";
    private static final String DATA = "data: ";
    private static final int EVENTS_BEFORE = 10;

    /** Other workers are looked for during 10 s. */
    private static final Duration ERROR_BOUND = Duration.ofSeconds(20);

    /**
     * A stopped process keeps its connections: at the latest the end of its lease of 10 s tells.
     */
    private static final Duration SILENCE_BOUND = Duration.ofSeconds(30);

    private static final int HANG_SECONDS = 120;

    @TempDir private static Path scratch = Path.of("");
    private @Nullable TestPool running;

    private interface Blow {
        void fall(Node worker) throws IOException, InterruptedException;
    }

    /** Events of a stream that something happened to, and how long it went on after that. */
    private record Seen(List<String> events, Duration took) {}

    @BeforeAll
    void start() throws Exception {
        running = TestPool.serving(scratch, Distribution.bundledModel(), 3, 3);
    }

    @AfterAll
    void end() {
        pool().close();
    }

    @Test
    @Timeout(value = HANG_SECONDS, unit = TimeUnit.SECONDS)
    void aMiddleThatStaysDeadIsAnError() throws Exception {
        Seen seen = strike(1, Node::kill);
        assertError(seen.events());
        assertThat(seen.took()).isLessThan(ERROR_BOUND);
        heal(1);
    }

    @Test
    @Timeout(value = HANG_SECONDS, unit = TimeUnit.SECONDS)
    void aTailThatStaysDeadIsAnError() throws Exception {
        Seen seen = strike(2, Node::kill);
        assertError(seen.events());
        assertThat(seen.took()).isLessThan(ERROR_BOUND);
        heal(2);
    }

    @Test
    @Timeout(value = HANG_SECONDS, unit = TimeUnit.SECONDS)
    void aTailThatIsStoppedIsAnError() throws Exception {
        String tail = pool().chain().get(2);
        try {
            Seen seen = strike(2, worker -> worker.signal("STOP"));
            assertError(seen.events());
            assertThat(seen.took()).isLessThan(SILENCE_BOUND);
        } finally {
            pool().node(tail).signal("CONT");
        }
        pool().awaitPresent(3);
        pool().awaitServed();
        assertWhole();
    }

    /** Text events, then one error with all four keys, and not another line. */
    private static void assertError(List<String> events) {
        assertThat(events).hasSizeGreaterThan(EVENTS_BEFORE);
        assertThat(events).allMatch(event -> event.startsWith(DATA + "{"));
        JsonNode error = json(events.getLast()).get("error");
        assertThat(error.propertyNames())
                .containsExactlyInAnyOrder("message", "type", "param", "code");
        assertThat(error.get("type").asString()).isEqualTo("server_error");
        assertThat(error.get("code").asString()).isEqualTo("worker_lost");
        assertThat(error.get("message").asString()).contains("worker-");
        assertThat(events.subList(0, events.size() - 1))
                .noneMatch(event -> json(event).has("error"));
    }

    private void heal(int stage) throws Exception {
        for (int i = 1; i <= 3; i++) {
            String worker = "worker-" + i;
            if (!pool().node(worker).alive()) {
                pool().startWorker(worker);
            }
        }
        pool().awaitPresent(3);
        pool().awaitServed();
        assertThat(pool().chain()).as("stage %d is back", stage).hasSize(3);
        assertWhole();
    }

    private void assertWhole() throws Exception {
        Seen seen = strike(0, _ -> {});
        assertThat(seen.events().getLast()).isEqualTo(DATA + "[DONE]");
    }

    private Seen strike(int stage, Blow blow) throws Exception {
        Node victim = pool().node(pool().chain().get(stage));
        List<String> events = new ArrayList<>();
        long[] struckNanos = {System.nanoTime()};
        String body =
                """
                {"model":"%s","stream":true,"temperature":0,
                 "messages":[{"role":"user","content":"%s"}]}
                """
                        .formatted(pool().model(), Questions.STORY);
        new Http(pool().address())
                .stream(
                        CHAT,
                        body,
                        line -> {
                            if (line.isEmpty() || line.startsWith(":")) {
                                return;
                            }
                            events.add(line);
                            if (events.size() == EVENTS_BEFORE) {
                                fall(blow, victim);
                                struckNanos[0] = System.nanoTime();
                            }
                        });
        return new Seen(events, Duration.ofNanos(System.nanoTime() - struckNanos[0]));
    }

    private static void fall(Blow blow, Node victim) {
        try {
            blow.fall(victim);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static JsonNode json(String event) {
        return JsonMapper.shared().readTree(event.substring(DATA.length()));
    }

    private TestPool pool() {
        return Objects.requireNonNull(running);
    }
}
