package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.worker.head.GenerationStart;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Chats of several turns in rings with little room, whose messages are edited and whose stages
 * change, forget and die at random. Whatever happens, each turn's tokens are those of the whole
 * model, and in the end nothing is held anywhere.
 */
class TurnsFuzzTest {
    private static final int SEEDS = 400;
    private static final int MOST_TOKENS = 20;
    private static final int TURNS = 12;
    private static final int REST_MILLIS = 300_000;
    private static final long TOO_LARGE_TO_PARK = RestingSessions.MOST_BYTES + 1;

    /** One chat, turn after turn. */
    private static final class Chat {
        final long session;
        int[] tokens = new int[0];
        String account = "one";
        int epoch;

        Chat(long session) {
            this.session = session;
        }
    }

    @Test
    void eachTurnsTokensAreThoseOfTheWholeModel() {
        for (int seed = 0; seed < SEEDS; seed++) {
            try {
                play(seed);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    @Test
    void theNextTurnComputesOnlyWhatIsNew() {
        RingSimulation ring = ring(1, 100_000).with(Routes.even(3), 1000, 4);
        Chat chat = new Chat(5);
        say(ring, chat, Routes.even(3), Routes.prompt(400, 5));
        assertThat(ring.worker("w1").stats().resting()).isEqualTo(1);
        assertThat(ring.worker("w1").stats().sessions()).isZero();
        assertThat(ring.worker("w1").stats().kvReserved()).isZero();
        List<Integer> before = computed(ring);
        int[] next = joined(chat.tokens, Routes.prompt(7, 6));
        RecordingSink sink = say(ring, chat, Routes.even(3), next);
        int rows = 1 + 7 + sink.tokens.size() - 1;
        assertThat(computed(ring)).isEqualTo(before.stream().map(n -> n + rows).toList());
        assertThat(Objects.requireNonNull(sink.end).reusedTokens()).isEqualTo(next.length - 8);
        assertThat(ring.worker("w1").stats().rowsReused()).isEqualTo(next.length - 8);
    }

    @Test
    void aStageThatLostItsPartIsGivenItAgain() {
        RingSimulation ring = ring(2, 100_000).with(Routes.even(3), 1000, 4);
        Chat chat = new Chat(5);
        say(ring, chat, Routes.even(3), Routes.prompt(100, 5));
        int head = ring.worker("w0").stage.computed();
        ring.worker("w1").restart();
        say(ring, chat, Routes.even(3), joined(chat.tokens, Routes.prompt(7, 6)));
        assertThat(ring.worker("w1").stage.computed()).isGreaterThan(107);
        assertThat(ring.worker("w0").stage.computed() - head).isLessThan(60);
    }

    @ParameterizedTest
    @ValueSource(strings = {"w1", "w2"})
    void aWorkerThatDiedBetweenTwoTurnsIsReplacedAndOnlyItsSuccessorComputes(String dead) {
        List<RouteStage> route = Routes.even(3);
        RingSimulation ring =
                ring(2, 100_000).with(route, 1000, 4).with(SpareRouting.spares(route, 1), 1000, 4);
        ring.routing = new SpareRouting(ring, new Random(4));
        Chat chat = new Chat(5);
        say(ring, chat, route, Routes.prompt(100, 5));
        Map<String, Integer> before = computedBy(ring);
        ring.kill(dead);
        int[] next = joined(chat.tokens, Routes.prompt(7, 6));
        // Nobody has noticed: the route leads through the dead worker.
        RecordingSink sink = say(ring, chat, route, next);
        int fed = 1 + 7 + sink.tokens.size() - 1;
        int all = next.length + sink.tokens.size() - 1;
        for (RouteStage stage : sink.routes.getLast().stages()) {
            String id = stage.workerId();
            int rows = ring.worker(id).stage.computed() - before.getOrDefault(id, 0);
            int least = route.contains(stage) ? fed : all;
            assertThat(rows).as(id).isBetween(least, least + 8);
        }
        assertThat(Objects.requireNonNull(sink.end).reusedTokens()).isEqualTo(next.length - 8);
        ring.workers.remove(dead);
        ring.pass(REST_MILLIS + 1_000);
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void nobodyGoesOnInAnothersSession() {
        RingSimulation ring = ring(1, 100_000).with(Routes.even(3), 1000, 4);
        Chat chat = new Chat(5);
        say(ring, chat, Routes.even(3), Routes.prompt(100, 5));
        List<Integer> before = computed(ring);
        chat.account = "another";
        int[] next = joined(chat.tokens, Routes.prompt(7, 6));
        RecordingSink sink = say(ring, chat, Routes.even(3), next);
        int all = next.length + sink.tokens.size() - 1;
        assertThat(computed(ring)).isEqualTo(before.stream().map(n -> n + all).toList());
        assertThat(Objects.requireNonNull(sink.end).reusedTokens()).isZero();
        assertThat(ring.worker("w1").stats().rowsReused()).isZero();
    }

    @Test
    void whoeverNeedsTheRoomGetsIt() {
        RingSimulation ring =
                ring(3, 100_000).parking(TOO_LARGE_TO_PARK).with(Routes.even(2), 200, 1);
        Chat first = new Chat(1);
        say(ring, first, Routes.even(2), Routes.prompt(50, 1));
        assertThat(ring.worker("w0").stats().resting()).isEqualTo(1);
        say(ring, new Chat(2), Routes.even(2), Routes.prompt(50, 2));
        assertThat(ring.worker("w0").stats().resting()).isEqualTo(1);
        assertThat(ring.worker("w0").stage.usedCells()).isLessThan(100);
        say(ring, first, Routes.even(2), joined(first.tokens, Routes.prompt(3, 3)));
    }

    @Test
    void whatRestsIsOutsideTheCacheAndTakesNoSequence() {
        RingSimulation ring = ring(3, 100_000).with(Routes.even(2), 200, 1);
        List<Chat> chats = List.of(new Chat(1), new Chat(2), new Chat(3));
        for (Chat chat : chats) {
            say(ring, chat, Routes.even(2), Routes.prompt(100, chat.session));
        }
        StageStats stats = ring.worker("w1").stats();
        assertThat(stats.resting()).isEqualTo(3);
        assertThat(stats.restingCells()).isGreaterThan(300);
        assertThat(stats.restingBytes()).isEqualTo(stats.restingCells() * 3L * Long.BYTES);
        assertThat(ring.worker("w1").stage.usedCells()).isZero();
        for (Chat chat : chats) {
            int[] next = joined(chat.tokens, Routes.prompt(7, 6));
            RecordingSink sink = say(ring, chat, Routes.even(2), next);
            assertThat(Objects.requireNonNull(sink.end).reusedTokens()).isEqualTo(next.length - 8);
        }
        ring.pass(REST_MILLIS + 1_000);
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void theMemoryOfWhatIsParkedIsBoundedAndTheOldestGoes() {
        RingSimulation ring =
                ring(3, 100_000)
                        .parking(RestingSessions.MOST_BYTES / 250)
                        .with(Routes.even(2), 1000, 4);
        Chat first = new Chat(1);
        say(ring, first, Routes.even(2), Routes.prompt(100, 1));
        Chat second = new Chat(2);
        say(ring, second, Routes.even(2), Routes.prompt(100, 2));
        assertThat(ring.worker("w0").stats().resting()).isEqualTo(2);
        say(ring, new Chat(3), Routes.even(2), Routes.prompt(100, 3));
        assertThat(ring.worker("w0").stats().resting()).isEqualTo(2);
        assertThat(ring.worker("w0").stats().restingBytes())
                .isLessThanOrEqualTo(RestingSessions.MOST_BYTES);
        int[] next = joined(second.tokens, Routes.prompt(7, 6));
        RecordingSink sink = say(ring, second, Routes.even(2), next);
        assertThat(Objects.requireNonNull(sink.end).reusedTokens()).isEqualTo(next.length - 8);
        sink = say(ring, first, Routes.even(2), joined(first.tokens, Routes.prompt(7, 6)));
        assertThat(Objects.requireNonNull(sink.end).reusedTokens()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"w0", "w1", "w2"})
    void whatDoesNotFitBackIntoTheCacheIsGivenAgain(String stage) {
        RingSimulation ring = ring(2, 100_000).with(Routes.even(3), 1000, 4);
        Chat chat = new Chat(5);
        say(ring, chat, Routes.even(3), Routes.prompt(100, 5));
        Map<String, Integer> before = computedBy(ring);
        ring.worker(stage).stage.losesWhatWasParked = true;
        int[] next = joined(chat.tokens, Routes.prompt(7, 6));
        RecordingSink sink = say(ring, chat, Routes.even(3), next);
        int fed = 1 + 7 + sink.tokens.size() - 1;
        int all = next.length + sink.tokens.size() - 1;
        computedBy(ring)
                .forEach((id, rows) ->
                        assertThat(rows - before.getOrDefault(id, 0))
                                .as(id)
                                .isBetween(
                                        id.equals(stage) ? all : fed,
                                        id.equals(stage) ? all + 8 : fed + 8));
        ring.pass(REST_MILLIS + 1_000);
        GenerationRingTest.assertAllFree(ring);
    }

    @Test
    void neitherTimeNorALeavingWorkerLetsASessionRestOn() {
        RingSimulation ring = ring(4, 100_000).with(Routes.even(2), 200, 4);
        say(ring, new Chat(1), Routes.even(2), Routes.prompt(50, 1));
        ring.worker("w0").core.drain();
        assertThat(ring.worker("w0").stats().resting()).isZero();
        assertThat(ring.worker("w1").stats().resting()).isEqualTo(1);
        ring.pass(REST_MILLIS + 1_000);
        GenerationRingTest.assertAllFree(ring);
    }

    private static void play(int seed) {
        Random random = new Random(seed);
        List<RouteStage> route = Routes.even(1 + random.nextInt(5));
        List<RouteStage> spares = SpareRouting.spares(route, 1);
        long logBytes = List.of(0L, 100L, 400L, 100_000L).get(random.nextInt(4));
        int cells = 400 + random.nextInt(800);
        int sequences = 1 + random.nextInt(3);
        RingSimulation ring = ring(seed, logBytes);
        List<Long> parked =
                List.of(
                        8L,
                        RestingSessions.MOST_BYTES / (1 + random.nextInt(200)),
                        TOO_LARGE_TO_PARK);
        ring.parking(parked.get(random.nextInt(3)));
        ring.with(route, cells, sequences).with(spares, cells, sequences);
        ring.routing = new SpareRouting(ring, random);
        int deadStage = random.nextInt(route.size());
        int deadTurn = deadStage == 0 ? TURNS : random.nextInt(TURNS);
        List<Chat> chats = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            chats.add(new Chat(i));
        }
        for (int turn = 0; turn < TURNS; turn++) {
            Chat chat = chats.get(random.nextInt(chats.size()));
            if (random.nextInt(5) == 0) {
                List<String> all = List.copyOf(ring.workers.keySet());
                ring.worker(all.get(random.nextInt(all.size()))).restart();
            }
            boolean edited = random.nextInt(4) == 0;
            int kept = edited ? random.nextInt(chat.tokens.length + 1) : chat.tokens.length;
            int[] said = Routes.prompt(1 + random.nextInt(8), random.nextInt(50));
            int[] prompt = joined(Arrays.copyOf(chat.tokens, kept), said);
            RecordingSink sink = begin(ring, chat, some(route, spares, random), prompt);
            if (turn == deadTurn) {
                for (int steps = random.nextInt(100); steps > 0 && ring.step(); steps--) {}
                ring.kill(route.get(deadStage).workerId());
            }
            end(ring, chat, prompt, sink);
        }
        if (deadTurn < TURNS) {
            ring.workers.remove(route.get(deadStage).workerId());
        }
        ring.pass(REST_MILLIS + 1_000);
        GenerationRingTest.assertAllFree(ring);
    }

    /** Most stages as always, some by a spare. */
    private static List<RouteStage> some(
            List<RouteStage> route, List<RouteStage> spares, Random random) {
        List<RouteStage> some = new ArrayList<>();
        for (int i = 0; i < route.size(); i++) {
            some.add(random.nextInt(6) == 0 ? spares.get(i) : route.get(i));
        }
        return some;
    }

    /** One turn, to its end. */
    private static RecordingSink say(
            RingSimulation ring, Chat chat, List<RouteStage> route, int[] prompt) {
        RecordingSink sink = begin(ring, chat, route, prompt);
        end(ring, chat, prompt, sink);
        return sink;
    }

    private static RecordingSink begin(
            RingSimulation ring, Chat chat, List<RouteStage> route, int[] prompt) {
        chat.epoch++;
        RecordingSink sink = new RecordingSink();
        int most = prompt.length + MOST_TOKENS;
        GenerationStart start =
                Routes.start(
                        Routes.ticket(chat.session, chat.epoch, route, most, chat.account),
                        chat.session,
                        prompt,
                        MOST_TOKENS,
                        sink);
        ring.start(
                new GenerationStart(
                        start.ticket(),
                        start.sampling(),
                        start.prompt(),
                        start.committed(),
                        start.maxTokens(),
                        start.text(),
                        start.sink(),
                        chat.epoch,
                        REST_MILLIS));
        return sink;
    }

    private static void end(RingSimulation ring, Chat chat, int[] prompt, RecordingSink sink) {
        ring.settle();
        ring.pass(EngineLimits.DEFAULT.stallMillis() * 3 / 4);
        assertThat(sink.problem).isNull();
        assertThat(sink.tokens).isEqualTo(Routes.expected(prompt, chat.session, MOST_TOKENS));
        chat.tokens = joined(prompt, sink.tokens.stream().mapToInt(Integer::intValue).toArray());
        if (!sink.routes.isEmpty()) {
            chat.epoch = sink.routes.getLast().epoch();
        }
    }

    private static List<Integer> computed(RingSimulation ring) {
        return ring.workers.values().stream().map(worker -> worker.stage.computed()).toList();
    }

    private static Map<String, Integer> computedBy(RingSimulation ring) {
        Map<String, Integer> rows = new TreeMap<>();
        ring.workers.forEach((id, worker) -> rows.put(id, worker.stage.computed()));
        return rows;
    }

    private static int[] joined(int[] one, int[] other) {
        int[] both = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, both, one.length, other.length);
        return both;
    }

    private static RingSimulation ring(int seed, long logBytes) {
        EngineLimits limits =
                new EngineLimits(100, 1000, 1 + 2 * logBytes, 30_000, 20_000, 200, 1, 1);
        return new RingSimulation(seed, limits, new BatchPolicy(8, 4, 2, 4)).logs(logBytes, 0, 160);
    }
}
