package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.InferenceException;
import coop.sahkar.client.TextPiece;
import coop.sahkar.client.TokenStream;
import coop.sahkar.deploy.demo.Distribution;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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
 * Workers that are killed or stopped in the middle of an answer. First without spares: the reader
 * gets a clear error in bounded time, and the pool heals when the worker returns. Then with a spare
 * for every span: the reader gets the whole answer, each token once.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class WorkerLossIT {
    private static final int PIECES_BEFORE = 10;

    /** Without a spare: the gateway looks for one for 10 s, then says that there is none. */
    private static final Duration ERROR_BOUND = Duration.ofSeconds(20);

    /**
     * A stopped process keeps its connections. Its silence is noticed after a multiple of the pace
     * so far, and it has 400 ms to answer; on a busy machine all of that takes longer. It must not
     * take as long as the lease, whose end tells everybody.
     */
    private static final Duration STOPPED_PAUSE_BOUND = Duration.ofSeconds(6);

    @TempDir private static Path scratch = Path.of("");
    private @Nullable TestPool running;
    private String unbroken = "";

    /** How an answer went that something happened to. */
    private record Outcome(
            String text,
            int tokens,
            @Nullable InferenceException failure,
            Duration took,
            Duration pause) {}

    private interface Blow {
        void fall(String worker) throws Exception;
    }

    @BeforeAll
    void start() throws Exception {
        running = TestPool.serving(scratch, Distribution.bundledModel(), 3, 3);
        unbroken = pool().client().complete(Questions.steady(pool().model())).text();
    }

    @AfterAll
    void end() {
        pool().close();
    }

    @Test
    @Order(1)
    void withoutASpareTheReaderHearsAndThePoolHeals() throws Exception {
        String victim = pool().chain().getFirst();

        Outcome outcome = generate(_ -> victim, worker -> pool().node(worker).kill());

        report("killed the head without a spare", outcome);
        assertThat(outcome.took()).isLessThan(ERROR_BOUND);
        assertThat(outcome.failure())
                .isInstanceOf(InferenceException.Lost.class)
                .hasMessageContaining(victim);
        assertThat(unbroken).startsWith(outcome.text());
        pool().startWorker(victim);
        pool().awaitPresent(3);
        pool().awaitServed();
        assertWhole(generate(_ -> victim, _ -> {}));
    }

    @Test
    @Order(2)
    void aWorkerThatReturnsInTimeFinishesTheAnswer() throws Exception {
        for (int stage = 1; stage < 3; stage++) {
            Outcome outcome = generateAndStrike(stage, this::restart);
            report("killed stage " + stage + " and started it again", outcome);
            assertThat(outcome.took()).isLessThan(ERROR_BOUND);
            if (outcome.failure() == null) {
                assertWhole(outcome);
            } else {
                assertThat(outcome.failure()).isInstanceOf(InferenceException.Lost.class);
            }
            pool().awaitPresent(3);
            pool().awaitServed();
        }
    }

    @Test
    @Order(3)
    void withSparesTheAnswerGoesOn() throws Exception {
        for (int i = 4; i <= 6; i++) {
            pool().startWorker("worker-" + i);
        }
        pool().awaitOnePartEach(6);

        for (int stage = 0; stage < 3; stage++) {
            Outcome outcome = generateAndStrike(stage, worker -> pool().node(worker).kill());
            report("killed stage " + stage + " with spares", outcome);
            assertWhole(outcome);
        }
    }

    @Test
    @Order(4)
    void aStoppedWorkerIsNoticed() throws Exception {
        restoreSix();
        for (int stage = 2; stage >= 0; stage--) {
            List<String> stopped = new ArrayList<>();
            Outcome outcome =
                    generateAndStrike(
                            stage,
                            worker -> {
                                stopped.add(worker);
                                pool().node(worker).signal("STOP");
                            });
            pool().node(stopped.getFirst()).signal("CONT");
            report("stopped stage " + stage + " with spares", outcome);
            assertWhole(outcome);
            assertThat(outcome.pause()).isLessThan(STOPPED_PAUSE_BOUND);
            pool().awaitOnePartEach(6);
            await().atMost(TestPool.SOON).until(() -> pool().idle());
        }
        assertWhole(generate(_ -> "", _ -> {}));
    }

    private void restart(String worker) throws Exception {
        pool().node(worker).kill();
        pool().startWorker(worker);
    }

    private void restoreSix() throws Exception {
        for (int i = 1; i <= 6; i++) {
            if (!pool().node("worker-" + i).alive()) {
                pool().startWorker("worker-" + i);
            }
        }
        pool().awaitOnePartEach(6);
    }

    private void assertWhole(Outcome outcome) {
        assertThat(outcome.failure()).isNull();
        assertThat(outcome.text()).isEqualTo(unbroken);
    }

    /** Strikes the worker that serves a stage of the very answer. */
    private Outcome generateAndStrike(int stage, Blow blow) throws Exception {
        return generate(
                stream -> stream.answering().orElseThrow().route().get(stage).workerId(), blow);
    }

    private interface Choice {
        String victim(TokenStream stream);
    }

    private Outcome generate(Choice choice, Blow blow) throws Exception {
        long struck = System.nanoTime();
        StringBuilder text = new StringBuilder();
        List<Integer> positions = new ArrayList<>();
        InferenceException failure = null;
        int pieces = 0;
        long heard = 0;
        long longest = 0;
        try (TokenStream stream = pool().client().stream(Questions.steady(pool().model()))) {
            while (stream.hasNext()) {
                TextPiece piece = stream.next();
                long now = System.nanoTime();
                longest = Math.max(longest, heard == 0 ? 0 : now - heard);
                heard = now;
                text.append(piece.text());
                for (int i = 0; i < piece.tokens(); i++) {
                    positions.add(piece.position() + i);
                }
                if (++pieces == PIECES_BEFORE) {
                    blow.fall(choice.victim(stream));
                    struck = System.nanoTime();
                    heard = struck;
                }
            }
        } catch (InferenceException e) {
            failure = e;
        }
        assertThat(positions).as("no token twice, none left out").isEqualTo(consecutive(positions));
        return new Outcome(
                text.toString(),
                positions.size(),
                failure,
                Duration.ofNanos(System.nanoTime() - struck),
                Duration.ofNanos(longest));
    }

    private static List<Integer> consecutive(List<Integer> positions) {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < positions.size(); i++) {
            all.add(positions.getFirst() + i);
        }
        return all;
    }

    private static void report(String what, Outcome outcome) {
        System.out.printf(
                "%s: %s after %d ms, longest pause %d ms, %d tokens%n",
                what,
                outcome.failure() == null ? "finished" : outcome.failure().getMessage(),
                outcome.took().toMillis(),
                outcome.pause().toMillis(),
                outcome.tokens());
    }

    private TestPool pool() {
        return Objects.requireNonNull(running);
    }
}
