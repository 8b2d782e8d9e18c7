package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Hundreds of rings with spares in which workers are killed, stopped, and leave at random, heads
 * among them. Whatever happens, each committed token is that of the whole model and comes once;
 * every generation ends; and in the end nothing is held anywhere.
 */
class RepairFuzzTest {
    private static final int SEEDS = 600;
    private static final int MOST_TOKENS = 40;
    private static final int SPARES = 2;

    /** One user's generation and the gateway that holds what was committed. */
    private static final class Story {
        final long session;
        final int[] prompt;
        final List<Integer> committed = new ArrayList<>();
        SealedTicket first;
        RecordingSink sink = new RecordingSink();

        Story(long session, int[] prompt, SealedTicket first) {
            this.session = session;
            this.prompt = prompt;
            this.first = first;
        }

        String head() {
            return first.ticket().head().workerId();
        }
    }

    private final List<Story> stories = new ArrayList<>();
    private RingSimulation ring = new RingSimulation(0);
    private SpareRouting routing = new SpareRouting(ring, new Random(0));
    private Random random = new Random(0);
    private List<RouteStage> route = List.of();
    private int readBack;
    private long moved;
    private final Set<String> hit = new LinkedHashSet<>();

    @Test
    void committedTokensAreAlwaysThoseOfTheWholeModel() {
        for (int seed = 0; seed < SEEDS; seed++) {
            try {
                play(seed);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
            moved += ring.workers.values().stream().mapToLong(w -> w.stats().moved()).sum();
            readBack += ring.workers.values().stream().mapToInt(w -> w.disk.reads).sum();
        }
        assertThat(readBack).as("pages that were sent again from disk").isPositive();
        assertThat(moved).as("sessions whose KV went over").isPositive();
    }

    private void play(int seed) {
        random = new Random(seed);
        route = Routes.even(2 + random.nextInt(4));
        long portion = RingFuzzTest.someOf(random, 500, 100_000);
        EngineLimits limits = new EngineLimits(100, 1000, portion, 60_000, 20_000, 2000, 1, 1);
        int rows = 1 + random.nextInt(9);
        BatchPolicy policy = new BatchPolicy(rows, Math.ceilDiv(rows, 2), 1, 4);
        ring = new RingSimulation(seed, limits, policy);
        long logBytes = RingFuzzTest.someOf(random, 0, 100, 400, 100_000);
        ring.logs(logBytes, (int) RingFuzzTest.someOf(random, 0, 0, 2, 1000), 160);
        ring.with(route, 2000, 10).with(SpareRouting.spares(route, SPARES), 2000, 10);
        routing = new SpareRouting(ring, random);
        ring.routing = routing;
        hit.clear();
        stories.clear();
        int sessions = 1 + random.nextInt(4);
        for (int i = 0; i < sessions; i++) {
            int[] prompt = Routes.prompt(1 + random.nextInt(50), i);
            stories.add(new Story(i, prompt, Routes.ticket(i, 1, route, 120)));
        }
        stories.forEach(this::begin);
        int blows = 1 + random.nextInt(4);
        for (int i = 0; i < blows; i++) {
            someSteps(random.nextInt(300));
            strike();
            gateways();
            if (random.nextBoolean()) {
                ring.pass(random.nextInt(1500));
                gateways();
            }
        }
        for (int i = 0; i < 20; i++) {
            ring.settle();
            ring.pass(1_000);
            gateways();
        }
        stories.forEach(this::check);
        healAndDemandOrder();
    }

    private void someSteps(int steps) {
        for (int i = 0; i < steps && ring.step(); i++) {
            // each step does its work itself
        }
    }

    /** Something goes wrong, but each span keeps one worker that was never hit. */
    private void strike() {
        List<String> all = new ArrayList<>(ring.workers.keySet());
        String victim = all.get(random.nextInt(all.size()));
        String span = victim.substring(0, 2);
        if (hit.contains(victim)
                || hit.stream().filter(v -> v.startsWith(span)).count() >= SPARES) {
            return;
        }
        hit.add(victim);
        switch (random.nextInt(5)) {
            case 0, 1 -> ring.kill(victim);
            case 2, 3 -> leave(victim);
            default -> ring.freeze(victim);
        }
    }

    /** It leaves, and stays until the last session has gone. */
    private void leave(String victim) {
        routing.leaving.add(victim);
        ring.worker(victim).core.leave();
        if (random.nextBoolean()) {
            ring.worker(victim).core.drain();
        }
    }

    /** Every gateway notices a head that is lost or leaves and goes on with another. */
    private void gateways() {
        for (Story story : stories) {
            boolean moves = story.sink.leaving || !ring.runs(story.head());
            if (refused(story) || (!story.sink.over() && moves)) {
                story.committed.addAll(story.sink.tokens);
                int newest =
                        story.sink.routes.isEmpty()
                                ? story.first.ticket().epoch()
                                : story.sink.routes.getLast().epoch();
                var current =
                        story.sink.routes.isEmpty()
                                ? story.first.ticket()
                                : story.sink.routes.getLast();
                story.first =
                        routing.next(current, Set.of(unfit(story)), newest + 16).orElseThrow();
                story.sink = new RecordingSink();
                begin(story);
            }
        }
    }

    /** A route drawn a moment too early: a worker of it takes nothing new any more. */
    private static boolean refused(Story story) {
        Problem problem = story.sink.problem;
        return problem != null && problem.kind() == Problem.Kind.OVERLOADED;
    }

    private static String unfit(Story story) {
        boolean behind = refused(story) && !story.sink.culprit.isEmpty();
        return behind ? story.sink.culprit : story.head();
    }

    private void begin(Story story) {
        int[] committed = story.committed.stream().mapToInt(Integer::intValue).toArray();
        ring.start(
                Routes.start(
                        story.first,
                        story.session,
                        story.prompt,
                        committed,
                        MOST_TOKENS,
                        story.sink));
    }

    private void check(Story story) {
        List<Integer> all = new ArrayList<>(story.committed);
        all.addAll(story.sink.tokens);
        assertThat(story.sink.problem).isNull();
        assertThat(story.sink.end).as("session %d ends", story.session).isNotNull();
        assertThat(all).isEqualTo(Routes.expected(story.prompt, story.session, MOST_TOKENS));
    }

    private void healAndDemandOrder() {
        for (String id : hit) {
            ring.thaw(id);
            if (!ring.alive(id)) {
                ring.workers.remove(id);
            }
        }
        // A head that was stopped sees now that its reader has hung up.
        for (Story story : stories) {
            for (RingSimulation.Worker worker : ring.workers.values()) {
                for (int epoch = 1; epoch < story.first.ticket().epoch(); epoch++) {
                    worker.core.cancel(story.first.ticket().session(), epoch);
                }
            }
        }
        ring.settle();
        ring.pass(70_000);
        GenerationRingTest.assertAllFree(ring);
    }
}
