package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.TextPiece;
import coop.sahkar.client.TokenStream;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.RouteStage;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * Donors who press Ctrl-C in the middle of an answer: whoever reads it gets the same text without
 * an error, and the worker leaves by itself.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LeaveIT {
    private static final int PIECES_BEFORE = 10;

    @TempDir private static Path scratch = Path.of("");
    private @Nullable TestPool running;
    private String unbroken = "";

    private interface Deed {
        void to(Node worker) throws Exception;
    }

    @BeforeAll
    void start() throws Exception {
        running = TestPool.serving(scratch, Distribution.bundledModel(), 3, 3);
        unbroken =
                pool().client().complete(Questions.brief(pool().model(), Questions.STORY)).text();
    }

    @AfterAll
    void end() {
        pool().close();
    }

    @Test
    @Order(1)
    void withoutAnotherWorkerTheAnswerEndsFirst() throws Exception {
        for (int stage = 0; stage < 3; stage++) {
            Node worker = answerWhile(stage, node -> node.signal("TERM"));
            assertThat(worker.output()).contains("Leaving: handing over 1 session");
            awaitLeft(worker);
            pool().startWorker(worker.id());
            pool().awaitPresent(3);
            pool().awaitServed();
        }
    }

    @Test
    @Order(2)
    void withSparesTheAnswerGoesOver() throws Exception {
        for (int i = 4; i <= 6; i++) {
            pool().startWorker("worker-" + i);
        }
        for (int stage = 0; stage < 3; stage++) {
            await().atMost(TestPool.SOON).until(() -> pool().chain().size() == 6);
            Node worker = answerWhile(stage, node -> node.signal("TERM"));
            awaitLeft(worker);
            assertThat(worker.output()).contains("All handed over or ended. Bye");
            pool().startWorker(worker.id());
        }
        await().atMost(TestPool.SOON).until(() -> pool().chain().size() == 6);
        await().atMost(TestPool.SOON).until(() -> pool().idle());
    }

    @Test
    @Order(3)
    void aSecondSignalEndsTheWaiting() throws Exception {
        for (int i = 4; i <= 6; i++) {
            pool().node("worker-" + i).kill();
        }
        pool().awaitPresent(3);
        pool().awaitServed();
        try (TokenStream stream =
                pool().client().stream(Questions.brief(pool().model(), Questions.STORY))) {
            stream.next();
            List<RouteStage> route = stream.answering().orElseThrow().route();
            Node worker = pool().node(route.get(1).workerId());
            // Nothing moves any more, so that the session cannot end by itself.
            pool().node(route.get(2).workerId()).signal("STOP");
            worker.signal("TERM");
            await().atMost(TestPool.SOON).until(() -> worker.output().contains("handing over"));
            worker.signal("TERM");
            awaitLeft(worker);
            assertThat(worker.output()).contains("Leaving at once");
        }
    }

    private static void awaitLeft(Node worker) {
        await().atMost(TestPool.SOON).until(() -> !worker.alive());
        assertThat(worker.exitCode()).as(worker.output()).isZero();
    }

    /** Does something to the worker of a stage in the middle of its answer. */
    private Node answerWhile(int stage, Deed deed) throws Exception {
        StringBuilder text = new StringBuilder();
        Node worker = null;
        int pieces = 0;
        int position = -1;
        long last = System.nanoTime();
        long longest = 0;
        try (TokenStream stream =
                pool().client().stream(Questions.brief(pool().model(), Questions.STORY))) {
            while (stream.hasNext()) {
                TextPiece piece = stream.next();
                long now = System.nanoTime();
                longest = pieces > PIECES_BEFORE ? Math.max(longest, now - last) : 0;
                last = now;
                text.append(piece.text());
                if (piece.tokens() > 0) {
                    assertThat(piece.position())
                            .isEqualTo(position < 0 ? piece.position() : position);
                    position = piece.position() + piece.tokens();
                }
                if (++pieces == PIECES_BEFORE) {
                    String id = stream.answering().orElseThrow().route().get(stage).workerId();
                    worker = pool().node(id);
                    deed.to(worker);
                }
            }
        }
        System.out.printf(
                "left stage %d: %d pieces, longest pause after it %.1f ms%n",
                stage, pieces, longest / 1e6);
        assertThat(text.toString()).isEqualTo(unbroken);
        return Objects.requireNonNull(worker, "the answer was too short");
    }

    private TestPool pool() {
        return Objects.requireNonNull(running);
    }
}
