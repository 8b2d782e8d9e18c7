package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.worker.engine.StageMessage.Open;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Hundreds of rings with random cuts, sessions, log sizes and orders of events, in which stages
 * lose their KV, sessions are cancelled and routes are renewed at random. Whatever happens,
 * committed tokens are those of the whole model, and in the end nothing is held anywhere.
 */
class RingFuzzTest {
    private static final int SEEDS = 400;
    private static final int MOST_TOKENS = 40;

    /** One user's generation, through all its routes. */
    private static final class Story {
        final long session;
        final int[] prompt;
        final List<Integer> committed = new ArrayList<>();
        SealedTicket ticket;
        RecordingSink sink = new RecordingSink();
        boolean cancelled;
        int startedIn;

        Story(long session, int[] prompt, SealedTicket ticket) {
            this.session = session;
            this.prompt = prompt;
            this.ticket = ticket;
        }

        boolean runs() {
            return !cancelled && !sink.over();
        }
    }

    @Test
    void committedTokensAreAlwaysThoseOfTheWholeModel() {
        int readBack = 0;
        int foreseen = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            try {
                RingSimulation ring = play(seed);
                readBack += ring.workers.values().stream().mapToInt(w -> w.disk.reads).sum();
                foreseen += ring.workers.values().stream().mapToInt(w -> w.foreseen).sum();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(readBack).as("pages that were sent again from disk").isPositive();
        assertThat(foreseen).as("tokens that were begun before they came").isGreaterThan(SEEDS);
    }

    private static RingSimulation play(int seed) {
        Random random = new Random(seed);
        List<RouteStage> route = Routes.even(1 + random.nextInt(6));
        RingSimulation ring = ring(seed, random);
        ring.logs(someOf(random, 0, 100, 400, 100_000), (int) someOf(random, 0, 0, 2, 1000), 160);
        ring.with(route, 2000, 10);
        List<Story> stories = new ArrayList<>();
        int sessions = 1 + random.nextInt(8);
        for (int i = 0; i < sessions; i++) {
            int[] prompt = Routes.prompt(1 + random.nextInt(50), i);
            stories.add(new Story(i, prompt, Routes.ticket(i, 1, route, 120)));
        }
        for (Story story : stories) {
            begin(ring, story);
            someSteps(ring, random.nextInt(30));
        }
        int troubles = random.nextInt(6);
        for (int i = 0; i < troubles; i++) {
            someSteps(ring, random.nextInt(200));
            trouble(ring, random, route, stories);
        }
        ring.settle();
        // Rows that a stage lost while they waited there are fed again half way to the deadline.
        ring.pass(EngineLimits.DEFAULT.stallMillis() * 3 / 4);
        stories.forEach(RingFuzzTest::check);
        // A stage that forgot a session cannot pass on that it was closed: those behind it drop it.
        ring.pass(EngineLimits.DEFAULT.stallMillis() * 2);
        GenerationRingTest.assertAllFree(ring);
        return ring;
    }

    private static RingSimulation ring(int seed, Random random) {
        long portion = someOf(random, 200, 100_000);
        EngineLimits limits = new EngineLimits(100, 1000, portion, 30_000, 20_000, 200, 1, 1);
        return new RingSimulation(seed, limits, policy(1 + random.nextInt(9)));
    }

    static long someOf(Random random, long... values) {
        return values[random.nextInt(values.length)];
    }

    private static BatchPolicy policy(int rows) {
        return new BatchPolicy(rows, Math.ceilDiv(rows, 2), 1, 4);
    }

    private static void someSteps(RingSimulation ring, int steps) {
        for (int i = 0; i < steps && ring.step(); i++) {
            // each step does its work itself
        }
    }

    private static void trouble(
            RingSimulation ring, Random random, List<RouteStage> route, List<Story> stories) {
        Story story = stories.get(random.nextInt(stories.size()));
        switch (random.nextInt(4)) {
            case 0 -> {
                if (story.runs()) {
                    story.cancelled = true;
                    ring.worker("w0").core.cancel(story.ticket.ticket().session(), story.startedIn);
                }
            }
            case 1 -> renew(ring, route, story);
            default -> forget(ring, 1 + random.nextInt(6), stories);
        }
    }

    /** The session goes on along a newer route, opened with what is committed. */
    private static void renew(RingSimulation ring, List<RouteStage> route, Story story) {
        if (story.runs()) {
            story.committed.addAll(story.sink.tokens);
            int epoch = story.ticket.ticket().epoch() + 1;
            story.ticket = Routes.ticket(story.session, epoch, route, 120);
            story.sink = new RecordingSink();
            begin(ring, story);
        }
    }

    /** A stage loses all it held, and its sessions are opened there again. */
    private static void forget(RingSimulation ring, int index, List<Story> stories) {
        RingSimulation.Worker worker = ring.workers.get("w" + index);
        if (worker != null) {
            worker.restart();
            for (Story story : stories) {
                if (story.runs()) {
                    Sampling sampling = Routes.sampling(story.session);
                    worker.core.accept(new Open(story.ticket, index, sampling), 1);
                }
            }
        }
    }

    private static void begin(RingSimulation ring, Story story) {
        story.startedIn = story.ticket.ticket().epoch();
        int[] committed = story.committed.stream().mapToInt(Integer::intValue).toArray();
        ring.start(
                Routes.start(
                        story.ticket,
                        story.session,
                        story.prompt,
                        committed,
                        MOST_TOKENS,
                        story.sink));
    }

    private static void check(Story story) {
        List<Integer> expected = Routes.expected(story.prompt, story.session, MOST_TOKENS);
        List<Integer> all = new ArrayList<>(story.committed);
        all.addAll(story.sink.tokens);
        if (story.cancelled) {
            assertThat(all).isEqualTo(expected.subList(0, all.size()));
        } else {
            assertThat(story.sink.problem).isNull();
            assertThat(story.sink.end).isNotNull();
            assertThat(all).isEqualTo(expected);
        }
    }
}
