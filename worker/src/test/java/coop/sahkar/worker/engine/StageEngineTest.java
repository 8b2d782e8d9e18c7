package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.worker.engine.StageMessage.Open;
import coop.sahkar.worker.head.Rerouting;
import coop.sahkar.worker.simulate.LetterVocabulary;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Engines with real threads, joined by links that hold back what a full mailbox refuses. */
class StageEngineTest {
    private static final int[] PROMPT = Routes.prompt(30, 5);

    private final Map<String, StageEngine> engines = new ConcurrentHashMap<>();
    private final Map<String, FakeStage> stages = new ConcurrentHashMap<>();
    private final Map<String, ExecutorService> wires = new ConcurrentHashMap<>();
    private final List<String> states = new CopyOnWriteArrayList<>();

    @AfterEach
    void closeAll() {
        engines.values().forEach(StageEngine::close);
        wires.values().forEach(ExecutorService::shutdownNow);
    }

    private StageEngine engine(RouteStage place, EngineLimits limits) {
        String id = place.workerId();
        FakeStage stage = new FakeStage(place.span(), 2000, 20);
        Links links = (to, message) -> wire(id, to.workerId(), message);
        StageEngine engine =
                new StageEngine(
                        id,
                        () -> new LoadedStage(stage, new LetterVocabulary()),
                        links,
                        limits,
                        LogRoom.inMemory(1 << 20),
                        new BatchPolicy(8, 4, 2, 4),
                        (state, why) -> states.add(id + " " + state + why),
                        Rerouting.NONE);
        stages.put(id, stage);
        engines.put(id, engine);
        engine.launch();
        return engine;
    }

    private void wire(String from, String to, StageMessage message) {
        ExecutorService wire =
                wires.computeIfAbsent(
                        from + ">" + to, _ -> Executors.newSingleThreadExecutor(daemon()));
        wire.execute(() -> push(to, message));
    }

    private void push(String to, StageMessage message) {
        StageEngine engine = engines.get(to);
        while (engine != null && !engine.offer(message) && !Thread.interrupted()) {
            LockSupport.parkNanos(50_000);
        }
    }

    private static ThreadFactory daemon() {
        return Thread.ofPlatform().daemon(true).factory();
    }

    private static EngineLimits narrow() {
        return new EngineLimits(4, 10, 1 << 20, 300_000, 20_000, 2000, 1, 5000);
    }

    private StageEngine ring(int count, EngineLimits limits) {
        List<RouteStage> route = Routes.even(count);
        route.forEach(place -> engine(place, limits));
        return Objects.requireNonNull(engines.get("w0"));
    }

    private static ConditionFactory soon() {
        return await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(2));
    }

    private FakeStage stage() {
        return Objects.requireNonNull(stages.get("w0"));
    }

    private static void awaitEnd(RecordingSink sink) {
        soon().until(sink::over);
    }

    @Test
    void sixteenSessionsThroughThreeEnginesWithNarrowMailboxes() {
        StageEngine head = ring(3, narrow());
        List<RecordingSink> sinks = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            RecordingSink sink = new RecordingSink();
            sinks.add(sink);
            int[] prompt = Routes.prompt(5 + i * 4, i);
            var start = Routes.start(Routes.ticket(i, 1, Routes.even(3), 120), i, prompt, 30, sink);
            soon().until(() -> head.start(start));
        }
        for (int i = 0; i < 16; i++) {
            awaitEnd(sinks.get(i));
            int[] prompt = Routes.prompt(5 + i * 4, i);
            assertThat(sinks.get(i).tokens).isEqualTo(Routes.expected(prompt, i, 30));
        }
        soon().until(() -> engines.values().stream().allMatch(e -> e.stats().sessions() == 0));
        StageStats stats = head.stats();
        assertThat(stats.rowsComputed()).isPositive();
        assertThat(stats.hops()).isPositive();
        assertThat(stats.kvCells()).isEqualTo(2000);
        assertThat(stats.kvReserved()).isZero();
    }

    @Test
    void aShardThatCannotBeLoadedIsReported() {
        StageEngine engine =
                new StageEngine(
                        "w9",
                        () -> {
                            throw new StageException("the file is cut off");
                        },
                        (_, _) -> {},
                        EngineLimits.DEFAULT,
                        LogRoom.inMemory(1 << 20),
                        BatchPolicy.DEFAULT,
                        (state, why) -> states.add(state + " " + why),
                        Rerouting.NONE);
        engine.launch();
        soon().until(() -> engine.state() == EngineState.FAILED);
        soon().until(() -> states.contains("FAILED the file is cut off"));
        assertThat(engine.shape())
                .failsWithin(Duration.ofSeconds(5))
                .withThrowableThat()
                .havingRootCause()
                .isInstanceOf(StageException.class);
        assertThat(engine.stats().kvCells()).isZero();
        engine.close();
    }

    @Test
    void aFaultOfOursFailsItsSessionsLoudlyAndStopsTheEngine() {
        StageEngine head = ring(1, EngineLimits.DEFAULT);
        stage().beforeCompute =
                () -> {
                    throw new IllegalStateException("a bug");
                };
        RecordingSink sink = new RecordingSink();
        head.start(Routes.start(Routes.ticket(1, 1, Routes.even(1), 120), 1, PROMPT, 30, sink));
        awaitEnd(sink);
        assertThat(sink.problem).isNotNull();
        assertThat(sink.culprit).isEqualTo("w0");
        soon().until(() -> head.state() == EngineState.FAILED);
        soon().until(() ->
                states.getLast().contains("FAILED") && states.getLast().contains("a bug"));
        RecordingSink late = new RecordingSink();
        soon().until(() ->
                !head.start(
                        Routes.start(
                                Routes.ticket(2, 1, Routes.even(1), 120), 1, PROMPT, 30, late)));
        assertThat(stage().closedBy).isNotNull();
    }

    @Test
    void closingFailsWhatRunsAndFreesTheShardOnItsThread() throws InterruptedException {
        StageEngine head = ring(1, EngineLimits.DEFAULT);
        CountDownLatch computing = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        stage().beforeCompute =
                () -> {
                    computing.countDown();
                    awaitLatch(goOn);
                };
        RecordingSink running = new RecordingSink();
        RecordingSink waiting = new RecordingSink();
        head.start(Routes.start(Routes.ticket(1, 1, Routes.even(1), 120), 1, PROMPT, 90, running));
        computing.await();
        Thread closing = Thread.ofPlatform().start(head::close);
        soon().until(() -> closing.getState() == Thread.State.TIMED_WAITING);
        head.start(Routes.start(Routes.ticket(2, 1, Routes.even(1), 120), 1, PROMPT, 90, waiting));
        goOn.countDown();
        closing.join();
        assertThat(running.problem).isNotNull();
        assertThat(running.problem.kind()).isEqualTo(Problem.Kind.WORKER_LOST);
        assertThat(waiting.problem).isNotNull();
        assertThat(head.state()).isEqualTo(EngineState.STOPPED);
        Thread closedBy = stage().closedBy;
        assertThat(closedBy).isNotNull();
        assertThat(closedBy.getName()).isEqualTo("stage-w0");
        assertThat(states).containsExactly("w0 LOADING", "w0 SERVING", "w0 STOPPED");
    }

    @Test
    void aFullMailboxRefusesAndTakesAgainLater() throws InterruptedException {
        StageEngine head = ring(1, narrow());
        CountDownLatch computing = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        stage().beforeCompute =
                () -> {
                    computing.countDown();
                    awaitLatch(goOn);
                };
        RecordingSink sink = new RecordingSink();
        var ticket = Routes.ticket(1, 1, Routes.even(1), 120);
        head.start(Routes.start(ticket, 3, PROMPT, 5, sink));
        computing.await();
        Open some = new Open(ticket, 0, Routes.sampling(1));
        for (int i = 0; i < 4; i++) {
            assertThat(head.offer(some)).isTrue();
        }
        assertThat(head.offer(some)).isFalse();
        head.cancel(Routes.ticket(9, 1, Routes.even(1), 120).ticket().session(), 1);
        goOn.countDown();
        soon().until(() -> head.offer(some));
        awaitEnd(sink);
        assertThat(sink.tokens).isEqualTo(Routes.expected(PROMPT, 3, 5));
    }

    @Test
    void aSinkThatThrowsEndsItsOwnGenerationOnly() {
        StageEngine head = ring(2, EngineLimits.DEFAULT);
        RecordingSink bad =
                new RecordingSink() {
                    @Override
                    public void delta(int position, int[] committed, String shown) {
                        throw new IllegalStateException("the reader is gone");
                    }
                };
        RecordingSink good = new RecordingSink();
        head.start(Routes.start(Routes.ticket(1, 1, Routes.even(2), 120), 1, PROMPT, 30, bad));
        head.start(Routes.start(Routes.ticket(2, 1, Routes.even(2), 120), 2, PROMPT, 30, good));
        awaitEnd(good);
        assertThat(good.tokens).isEqualTo(Routes.expected(PROMPT, 2, 30));
        soon().until(() -> engines.values().stream().allMatch(e -> e.stats().sessions() == 0));
        assertThat(head.state()).isEqualTo(EngineState.SERVING);
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
