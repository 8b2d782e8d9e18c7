package coop.sahkar.deploy.bench;

import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceException;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.TextPiece;
import coop.sahkar.client.TokenStream;
import coop.sahkar.deploy.demo.DemoPool;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.v1.RepairStatus;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.WorkerStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Strikes workers in the middle of answers, head, middle and tail in turn, and measures how long
 * the reader waits and whether the text is what it would have been.
 */
public final class FaultBench {
    private static final String WORDS = "Once upon a time Mina and Omar went to the river. ";
    private static final Duration TIMEOUT = Duration.ofSeconds(90);

    /** Until the JVMs have compiled what a token passes through. */
    private static final int WARM_UP_RUNS = 12;

    private final DemoPool pool;
    private final InferenceClient client;
    private final Blow blow;
    private final int tokens;
    private final RandomGenerator random;
    private final Consumer<String> step;

    /** What may happen to a worker. */
    public enum Blow {
        /** Its process is killed. */
        KILL,
        /** Its process is stopped, and keeps its connections. */
        STOP
    }

    /** An answer as its reader saw it. */
    private record Heard(String text, List<Integer> positions, boolean finished, double pause) {}

    /** Whom to strike, and after which token. */
    private record Plan(int stage, int afterTokens) {}

    /**
     * @param pool serves the model twice over
     * @param tokens of each answer
     * @param step is told what is done next
     */
    public FaultBench(
            DemoPool pool,
            InferenceClient client,
            Blow blow,
            int tokens,
            RandomGenerator random,
            Consumer<String> step) {
        this.pool = pool;
        this.client = client;
        this.blow = blow;
        this.tokens = tokens;
        this.random = random;
        this.step = step;
    }

    /**
     * Runs it; a few seconds for each blow, until the struck worker is back.
     *
     * @param blows how many
     * @param contextTokens about how many tokens the prompt has
     * @param stages of a route
     */
    public FaultReport run(int blows, int contextTokens, int stages) throws InterruptedException {
        String prompt = prompt(contextTokens);
        step.accept("warming up");
        Heard calm = generate(prompt, null);
        for (int i = 0; i < WARM_UP_RUNS; i++) {
            calm = generate(prompt, null);
        }
        int answer = calm.positions().size();
        int context = calm.positions().isEmpty() ? 0 : calm.positions().getFirst();
        if (answer < 4) {
            throw new BenchException(
                    "The model ends its answer after %d tokens; there is no middle to strike in."
                            .formatted(answer));
        }
        List<FaultReport.Strike> strikes = new ArrayList<>();
        for (int i = 0; i < blows; i++) {
            Plan plan = new Plan(i % stages, 1 + random.nextInt(answer - 2));
            strikes.add(strike(prompt, plan, calm));
            FaultReport.Strike last = strikes.getLast();
            step.accept(
                    "%d of %d: stage %d after %d tokens, pause %.0f ms%s"
                            .formatted(
                                    i + 1,
                                    blows,
                                    plan.stage(),
                                    plan.afterTokens(),
                                    last.pauseMillis(),
                                    last.equal() ? "" : ", another text"));
        }
        return new FaultReport(blow.name(), context, calm.pause(), strikes);
    }

    private FaultReport.Strike strike(String prompt, Plan plan, Heard calm)
            throws InterruptedException {
        pool.awaitIdle();
        Map<String, Long> before = rows();
        List<String> struck = new ArrayList<>();
        List<RouteStage> route = new ArrayList<>();
        long[] struckNanos = new long[1];
        Heard heard =
                generate(
                        prompt,
                        (stream, pieces) -> {
                            if (pieces == plan.afterTokens()) {
                                route.addAll(stream.answering().orElseThrow().route());
                                struck.add(route.get(plan.stage()).workerId());
                                struckNanos[0] = System.nanoTime();
                                strike(struck.getFirst());
                            }
                        });
        long found = struck.isEmpty() ? 0 : foundMillis(struckNanos[0]);
        pool.awaitIdle();
        long again = rowsAgain(route, struck, before, calm);
        for (String worker : struck) {
            heal(worker);
        }
        return new FaultReport.Strike(
                plan.stage(),
                plan.afterTokens(),
                heard.finished(),
                consecutive(heard.positions()),
                heard.text().equals(calm.text()),
                heard.pause(),
                found,
                again);
    }

    /** How long after the blow the first repair was asked for. */
    private long foundMillis(long struckNanos) {
        long sinceMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - struckNanos);
        long firstAgoMillis =
                pool.repairs().stream()
                        .mapToLong(RepairStatus::getAgoMillis)
                        .filter(ago -> ago <= sinceMillis)
                        .max()
                        .orElse(sinceMillis);
        return sinceMillis - firstAgoMillis;
    }

    private void strike(String worker) {
        switch (blow) {
            case KILL -> pool.kill(worker);
            case STOP -> pool.pause(worker);
        }
    }

    private void heal(String worker) throws InterruptedException {
        switch (blow) {
            case KILL -> pool.revive(worker);
            case STOP -> pool.resume(worker);
        }
    }

    /** What survivors computed beyond what an unbroken answer costs each of them. */
    private long rowsAgain(
            List<RouteStage> route, List<String> struck, Map<String, Long> before, Heard calm) {
        long once = calm.positions().getLast();
        Map<String, Long> after = rows();
        long again = 0;
        for (RouteStage stage : route) {
            String id = stage.workerId();
            if (!struck.contains(id)) {
                long computed = after.getOrDefault(id, 0L) - before.getOrDefault(id, 0L);
                again += Math.max(0, computed - once);
            }
        }
        return again;
    }

    private Map<String, Long> rows() {
        Map<String, Long> rows = new LinkedHashMap<>();
        for (WorkerStatus worker : pool.workers()) {
            for (ShardReport shard : worker.getShardsList()) {
                rows.merge(worker.getHello().getWorkerId(), shard.getRowsComputed(), Long::sum);
            }
        }
        return rows;
    }

    private interface Watcher {
        void heard(TokenStream stream, int pieces);
    }

    private Heard generate(String prompt, @Nullable Watcher watcher) {
        StringBuilder text = new StringBuilder();
        List<Integer> positions = new ArrayList<>();
        long last = 0;
        long longest = 0;
        boolean finished = false;
        try (TokenStream stream = client.stream(request(prompt, tokens))) {
            while (stream.hasNext()) {
                TextPiece piece = stream.next();
                long now = System.nanoTime();
                longest = last == 0 ? 0 : Math.max(longest, now - last);
                last = now;
                text.append(piece.text());
                for (int i = 0; i < piece.tokens(); i++) {
                    positions.add(piece.position() + i);
                }
                if (watcher != null) {
                    watcher.heard(stream, positions.size());
                }
            }
            finished = true;
        } catch (InferenceException e) {
            step.accept("an answer failed: " + e.getMessage());
        }
        return new Heard(text.toString(), positions, finished, longest / 1e6);
    }

    private InferenceRequest request(String prompt, int most) {
        GenerationOptions greedy =
                GenerationOptions.builder().temperature(0).maxTokens(most).timeout(TIMEOUT).build();
        return InferenceRequest.prompt(pool.modelId(), prompt).with(greedy);
    }

    /** Words of about so many tokens. */
    private String prompt(int contextTokens) {
        int one = tokensOf(WORDS);
        int ten = tokensOf(WORDS.repeat(11));
        double each = Math.max(1, (ten - one) / 10.0);
        return WORDS.repeat((int) Math.max(1, Math.round(contextTokens / each)));
    }

    private int tokensOf(String prompt) {
        return client.complete(request(prompt, 1)).usage().promptTokens();
    }

    private static boolean consecutive(List<Integer> positions) {
        for (int i = 1; i < positions.size(); i++) {
            if (positions.get(i) != positions.get(i - 1) + 1) {
                return false;
            }
        }
        return true;
    }
}
