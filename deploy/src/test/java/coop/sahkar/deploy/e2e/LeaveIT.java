package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.TextPiece;
import coop.sahkar.client.TokenStream;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.v1.WorkerStatus;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
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
    private static final int STAGES = 3;
    private static final String WAITING = "until others serve what only this worker does";
    private static final int FEW_ROWS = 8;
    private static final int SHORT_SECONDS = 6;

    /** Ending a JVM on a busy machine takes a while. */
    private static final long AT_ONCE_NANOS = TimeUnit.SECONDS.toNanos(15);

    @TempDir private static Path scratch = Path.of("");
    private @Nullable TestPool running;
    private String unbroken = "";

    private interface Deed {
        void to(Node worker) throws Exception;
    }

    @BeforeAll
    void start() throws Exception {
        running = TestPool.serving(scratch, Distribution.bundledModel(), STAGES, STAGES);
        unbroken = pool().client().complete(Questions.steady(pool().model())).text();
    }

    @AfterAll
    void end() {
        pool().close();
    }

    @Test
    @Order(1)
    void theOnlyHolderOfABlockStaysUntilOthersServeIt() throws Exception {
        for (int stage = 0; stage < STAGES; stage++) {
            try (EagerReader one = EagerReader.start(pool(), unbroken);
                    EagerReader two = EagerReader.start(pool(), unbroken)) {
                awaitOneMore(one, two);
                double usual = Math.max(one.pauseMillis(), two.pauseMillis());
                Node worker = pool().node(pool().chain().get(stage));
                long began = System.nanoTime();
                worker.signal("TERM");
                awaitLeft(worker);
                long took = System.nanoTime() - began;
                awaitOneMore(one, two);
                System.out.printf(
                        "stage %d left in %.1f s: longest pause %.1f ms, before it %.1f ms%n",
                        stage, took / 1e9, Math.max(one.pauseMillis(), two.pauseMillis()), usual);
                pool().startWorker(worker.id());
                awaitChain(STAGES);
            }
        }
    }

    @Test
    @Order(2)
    void withSparesTheAnswerGoesOver() throws Exception {
        for (int i = 4; i <= 6; i++) {
            pool().startWorker("worker-" + i);
        }
        List<Long> again = new ArrayList<>();
        for (int stage = 0; stage < STAGES; stage++) {
            awaitChain(2 * STAGES);
            Map<String, Long> rows = rowsAgain();
            StringBuilder before = new StringBuilder();
            Node worker =
                    answerWhile(
                            stage,
                            node -> {
                                before.append(node.output());
                                node.signal("TERM");
                            });
            awaitLeft(worker);
            assertThat(worker.output().substring(before.length()))
                    .contains("All handed over or ended. Bye");
            again.add(since(rows, rowsAgain()));
            pool().startWorker(worker.id());
        }
        System.out.printf("rows computed again, by the stage that left: %s%n", again);
        assertThat(Collections.min(again.subList(1, STAGES)))
                .as("KV went over; only a machine that hangs for a moment computes instead")
                .isLessThanOrEqualTo(FEW_ROWS);
        awaitChain(2 * STAGES);
        await().atMost(TestPool.SOON).until(() -> pool().idle());
    }

    /** By worker, as each has reported from now on, when nothing runs. */
    private Map<String, Long> rowsAgain() {
        long marked = System.nanoTime();
        Map<String, Long> rows = new TreeMap<>();
        await().atMost(TestPool.SOON)
                .until(() -> {
                    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - marked);
                    rows.clear();
                    boolean anew = true;
                    for (WorkerStatus worker : pool().status().getWorkersList()) {
                        anew &= !worker.getPresent() || worker.getSilentMillis() < millis;
                        worker.getShardsList()
                                .forEach(shard ->
                                        rows.merge(
                                                worker.getHello().getWorkerId(),
                                                shard.getRowsAgain(),
                                                Long::sum));
                    }
                    return anew && pool().idle();
                });
        return rows;
    }

    private static long since(Map<String, Long> before, Map<String, Long> after) {
        return after.entrySet().stream()
                .mapToLong(row -> row.getValue() - before.getOrDefault(row.getKey(), 0L))
                .filter(more -> more > 0)
                .sum();
    }

    @Test
    @Order(3)
    void drainTellsItFromAnotherTerminal() throws Exception {
        Node worker = pool().node("worker-6");
        Node drain = pool().drain("worker-6");
        await().atMost(TestPool.SOON).until(() -> !drain.alive());
        assertThat(drain.exitCode()).as(drain.output()).isZero();
        assertThat(drain.output()).contains("It has left");
        awaitLeft(worker);
        Node again = pool().drain("worker-6");
        await().atMost(TestPool.SOON).until(() -> !again.alive());
        assertThat(again.exitCode()).isNotZero();
        assertThat(again.output()).contains("No worker runs on the data folder");
    }

    @Test
    @Order(4)
    void aSecondSignalEndsTheWaiting() throws Exception {
        try (TestPool two = two("second-signal")) {
            Node worker = two.node("worker-1");
            // A machine that hangs: what is given to it comes to nothing for now.
            two.node("worker-2").signal("STOP");
            worker.signal("TERM");
            await().atMost(TestPool.SOON).until(() -> worker.output().contains(WAITING));
            long began = System.nanoTime();
            worker.signal("TERM");
            awaitLeft(worker);
            assertThat(worker.output()).contains("Leaving at once");
            assertThat(System.nanoTime() - began).isLessThan(AT_ONCE_NANOS);
        }
    }

    @Test
    @Order(5)
    void theTimeoutEndsTheWaiting() throws Exception {
        try (TestPool two = two("timeout", "--drain-timeout", Integer.toString(SHORT_SECONDS))) {
            Node worker = two.node("worker-1");
            two.node("worker-2").signal("STOP");
            long began = System.nanoTime();
            worker.signal("TERM");
            awaitLeft(worker);
            assertThat(System.nanoTime() - began)
                    .isBetween(
                            TimeUnit.SECONDS.toNanos(SHORT_SECONDS / 2),
                            TimeUnit.SECONDS.toNanos(SHORT_SECONDS) + AT_ONCE_NANOS);
        }
    }

    /** A pool of its own with two workers, each of which has a half. */
    private static TestPool two(String name, String... more) throws Exception {
        TestPool two = TestPool.start(Files.createDirectory(scratch.resolve(name)));
        try {
            two.startWorker("worker-1", more);
            two.startWorker("worker-2", more);
            two.awaitPresent(2);
            two.publish(Distribution.bundledModel(), 2);
            return two;
        } catch (Exception | Error e) {
            System.err.println(two.logs());
            two.close();
            throw e;
        }
    }

    /** Waits until every worker serves one part, and the model is whole. */
    private void awaitChain(int workers) {
        await(workers + " shards")
                .atMost(TestPool.SOON)
                .until(() ->
                        pool().present() == workers
                                && pool().chain().size() == workers
                                && pool().ready());
    }

    private static void awaitOneMore(EagerReader... readers) {
        for (EagerReader reader : readers) {
            int before = reader.answers();
            await().atMost(TestPool.SOON).until(() -> reader.answers() > before);
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
        try (TokenStream stream = pool().client().stream(Questions.steady(pool().model()))) {
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
