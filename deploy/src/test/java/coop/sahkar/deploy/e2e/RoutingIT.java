package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.InferenceException;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.v1.PeerLatency;
import coop.sahkar.proto.v1.WorkerStatus;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Ways between real workers, and more requests than they have room for. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RoutingIT {
    /** More than the chain has room for and the queue takes of one caller. */
    private static final int REQUESTS = 160;

    private static final int LIMIT_SECONDS = 240;

    @TempDir private static Path scratch = Path.of("");
    private @Nullable TestPool running;

    @BeforeAll
    void start() throws Exception {
        running = TestPool.serving(scratch, Distribution.bundledModel(), 3, 3);
    }

    @AfterAll
    void end() {
        pool().close();
    }

    @Test
    void workersMeasureTheWayToTheNextStageAndTheStatusShowsIt() {
        await().atMost(TestPool.SOON)
                .untilAsserted(() ->
                        assertThat(pool().status().getWorkersList())
                                .allSatisfy(worker ->
                                        assertThat(worker.getLatenciesList())
                                                .singleElement()
                                                .satisfies(way ->
                                                        assertThat(way.getMicros())
                                                                .isBetween(1, 1_000_000))));
        List<String> chain = pool().chain();
        for (WorkerStatus worker : pool().status().getWorkersList()) {
            PeerLatency way = worker.getLatencies(0);
            int at = chain.indexOf(worker.getHello().getWorkerId());
            assertThat(way.getWorkerId()).isEqualTo(chain.get((at + 1) % chain.size()));
            System.out.printf(
                    "%s to %s: %d µs%n", chain.get(at), way.getWorkerId(), way.getMicros());
        }
    }

    @Test
    void whoIsLetInOrWaitsIsAnsweredAndTheRestAreToldWhenToComeBack() throws Exception {
        List<Object> outcomes = ask();
        List<String> texts =
                outcomes.stream().filter(String.class::isInstance).map(String.class::cast).toList();
        List<InferenceException.Overloaded> refusals =
                outcomes.stream()
                        .filter(InferenceException.Overloaded.class::isInstance)
                        .map(InferenceException.Overloaded.class::cast)
                        .toList();
        System.out.printf(
                "%d of %d answered, %d refused%n", texts.size(), REQUESTS, refusals.size());
        assertThat(texts.size() + refusals.size()).isEqualTo(REQUESTS);
        assertThat(texts).as("as many as there is room for").hasSizeGreaterThanOrEqualTo(32);
        assertThat(texts).allSatisfy(text -> assertThat(text).isNotBlank());
        assertThat(refusals)
                .isNotEmpty()
                .allSatisfy(refused -> assertThat(refused.retryAfter()).isPresent());
        await().atMost(TestPool.SOON).until(() -> pool().idle());
        assertThat(pool().status().getWaiting()).isZero();
    }

    private List<Object> ask() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Object>> asked = new ArrayList<>();
            for (int i = 0; i < REQUESTS; i++) {
                int number = i;
                asked.add(threads.submit(() -> answer(number)));
            }
            await("somebody waits")
                    .atMost(TestPool.SOON)
                    .until(() -> pool().status().getWaiting() > 0);
            List<Object> outcomes = new ArrayList<>();
            for (Future<Object> one : asked) {
                outcomes.add(one.get(LIMIT_SECONDS, TimeUnit.SECONDS));
            }
            return outcomes;
        }
    }

    private Object answer(int number) {
        try {
            var request = Questions.sampled(pool().model(), Questions.different(number), number);
            return pool().client().complete(request).text();
        } catch (InferenceException.Overloaded refused) {
            return refused;
        }
    }

    private TestPool pool() {
        return Objects.requireNonNull(running);
    }
}
