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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
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

    /** A blow falls at any moment of a token's way round the ring. */
    private static final long MOST_LATER_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    /** Besides one for each that is felt, so many blows may come too late. */
    private static final int MOST_LATE = 10;

    /** More rows than these computed again by stages that stayed are worth a word. */
    private static final int FEW_ROWS = 8;

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
        /** Its process is told to leave, as by Ctrl-C. */
        LEAVE,
        /** Its process is stopped, and keeps its connections. */
        STOP,
        /** What it sends to the next stage is lost; behind the tail comes the head. */
        CUT
    }

    /** A reader's silence, from one token to the next. */
    private record Gap(long beganNanos, long endedNanos) {
        static final Gap NONE = new Gap(0, 0);

        Gap orLonger(Gap other) {
            return other.nanos() > nanos() ? other : this;
        }

        long nanos() {
            return endedNanos - beganNanos;
        }
    }

    /** An answer as its reader saw it. */
    private record Heard(String text, List<Integer> positions, boolean finished, List<Gap> gaps) {
        /** The longest silence that ended after that moment. */
        Gap longestSince(long nanos) {
            return gaps.stream()
                    .filter(gap -> gap.endedNanos() - nanos > 0)
                    .reduce(Gap.NONE, Gap::orLonger);
        }

        double pauseMillis() {
            return gaps.stream().reduce(Gap.NONE, Gap::orLonger).nanos() / 1e6;
        }
    }

    /** Whom to strike, after which token, and so long after that. */
    private record Plan(int stage, int afterTokens, long laterNanos) {}

    /** A blow that has fallen, on a stage of the route as it was then. */
    private record Fall(long nanos, List<RouteStage> route, String worker) {}

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
     * @param most time after which no more fall
     * @param contextTokens about how many tokens the prompt has
     * @param stages of a route
     */
    public FaultReport run(int blows, Duration most, int contextTokens, int stages)
            throws InterruptedException {
        long begun = System.nanoTime();
        String prompt = prompt(contextTokens);
        step.accept("warming up");
        Heard calm = generate(prompt, null);
        for (int i = 0; i < WARM_UP_RUNS; i++) {
            calm = generate(prompt, null);
        }
        int answer = calm.positions().size();
        if (answer < 4) {
            throw new BenchException(
                    "The model ends its answer after %d tokens; there is no middle to strike in."
                            .formatted(answer));
        }
        List<FaultReport.Strike> strikes = new ArrayList<>();
        int late = 0;
        while (strikes.size() < blows
                && late < MOST_LATE + blows
                && System.nanoTime() - begun < most.toNanos()) {
            int after = 1 + random.nextInt(answer - 2);
            long later = random.nextLong(MOST_LATER_NANOS);
            Plan plan = new Plan(strikes.size() % stages, after, later);
            FaultReport.Strike strike = strike(prompt, plan, calm);
            if (strike.felt()) {
                strikes.add(strike);
            } else {
                late++;
            }
            step.accept("%d of %d: %s".formatted(strikes.size(), blows, inWords(strike)));
        }
        return new FaultReport(
                blow.name(),
                calm.positions().getFirst(),
                calm.pauseMillis(),
                late,
                targets(stages),
                strikes);
    }

    private List<String> targets(int stages) {
        List<String> targets = new ArrayList<>();
        for (int stage = 0; stage < stages; stage++) {
            String name = name(stage, stages);
            String next = name((stage + 1) % stages, stages);
            targets.add(blow == Blow.CUT ? name + " → " + next : name);
        }
        return targets;
    }

    private static String name(int stage, int stages) {
        return stage == 0 ? "head" : stage == stages - 1 ? "tail" : "middle";
    }

    private static String inWords(FaultReport.Strike strike) {
        StringBuilder words = new StringBuilder();
        words.append(
                "stage %d after %d tokens, noticed in %.0f ms, pause %.0f ms"
                        .formatted(
                                strike.stage(),
                                strike.afterTokens(),
                                strike.noticedMillis(),
                                strike.pauseMillis()));
        if (strike.survivorRows() > FEW_ROWS) {
            words.append(", %d rows again".formatted(strike.survivorRows()));
        }
        words.append(strike.felt() ? "" : ", too late to be felt");
        words.append(strike.equal() ? "" : ", another text");
        words.append(strike.finished() && strike.once() ? "" : ", not whole");
        return words.toString();
    }

    private FaultReport.Strike strike(String prompt, Plan plan, Heard calm)
            throws InterruptedException {
        pool.awaitSpares();
        pool.awaitIdle();
        RowsAgain before = RowsAgain.of(pool);
        CompletableFuture<Fall> fallen = new CompletableFuture<>();
        Heard heard =
                generate(
                        prompt,
                        (stream, pieces) -> {
                            if (pieces == plan.afterTokens()) {
                                List<RouteStage> route = stream.answering().orElseThrow().route();
                                Thread.startVirtualThread(() -> fall(plan, route, fallen));
                            }
                        });
        Fall fall = fallen.join();
        List<RepairStatus> repairs = repairsSince(fall.nanos());
        Gap gap = heard.longestSince(fall.nanos());
        double noticed = noticedMillis(gap, repairs);
        if (blow == Blow.CUT) {
            pool.mend(); // over a cut link nobody hears that the session is over
        }
        pool.awaitIdle();
        RowsAgain again = RowsAgain.of(pool).since(before);
        long survivors = again.ofSurvivors(fall.route(), lost(fall, repairs));
        heal(fall.worker());
        return new FaultReport.Strike(
                plan.stage(),
                plan.afterTokens(),
                heard.finished(),
                consecutive(heard.positions()),
                heard.text().equals(calm.text()),
                gap.nanos() / 1e6,
                noticed,
                repairs.size(),
                survivors,
                again.all() - survivors,
                repairs.isEmpty() ? "" : repairs.getLast().getCause());
    }

    private void fall(Plan plan, List<RouteStage> route, CompletableFuture<Fall> fallen) {
        String worker = route.get(plan.stage()).workerId();
        String next = route.get((plan.stage() + 1) % route.size()).workerId();
        LockSupport.parkNanos(plan.laterNanos());
        long nanos = System.nanoTime();
        try {
            switch (blow) {
                case KILL -> pool.kill(worker);
                case LEAVE -> pool.dismiss(worker);
                case STOP -> pool.pause(worker);
                case CUT -> pool.cut(worker, next);
            }
            fallen.complete(new Fall(nanos, route, worker));
        } catch (RuntimeException e) {
            fallen.completeExceptionally(e);
        }
    }

    private void heal(String worker) throws InterruptedException {
        switch (blow) {
            case KILL -> pool.revive(worker);
            case LEAVE -> {
                pool.awaitGone(worker);
                pool.revive(worker);
            }
            case STOP -> pool.resume(worker);
            case CUT -> {} // it was in good health
        }
    }

    /** The questions for other routes since then, newest first. */
    private List<RepairStatus> repairsSince(long nanos) {
        long sinceMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
        return pool.repairs().stream()
                .filter(repair -> repair.getAgoMillis() <= sinceMillis)
                .toList();
    }

    /** The part of a silence before the first question. */
    private static double noticedMillis(Gap gap, List<RepairStatus> newestFirst) {
        if (newestFirst.isEmpty()) {
            return 0;
        }
        double agoMillis = (System.nanoTime() - gap.beganNanos()) / 1e6;
        double noticed = agoMillis - newestFirst.getLast().getAgoMillis();
        return Math.clamp(noticed, 0, gap.nanos() / 1e6);
    }

    /** Whom the blow took away, and whom heads took for lost. */
    private Set<String> lost(Fall fall, List<RepairStatus> repairs) {
        Set<String> lost = new TreeSet<>();
        repairs.forEach(repair -> lost.addAll(repair.getLostWorkersList()));
        if (blow != Blow.CUT) {
            lost.add(fall.worker());
        }
        return lost;
    }

    private interface Watcher {
        void heard(TokenStream stream, int pieces);
    }

    private Heard generate(String prompt, @Nullable Watcher watcher) {
        StringBuilder text = new StringBuilder();
        List<Integer> positions = new ArrayList<>();
        List<Gap> gaps = new ArrayList<>();
        long last = 0;
        boolean finished = false;
        try (TokenStream stream = client.stream(request(prompt, tokens))) {
            while (stream.hasNext()) {
                TextPiece piece = stream.next();
                long now = System.nanoTime();
                if (last != 0) {
                    gaps.add(new Gap(last, now));
                }
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
        return new Heard(text.toString(), positions, finished, gaps);
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
