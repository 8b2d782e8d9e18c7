package coop.sahkar.deploy.bench;

import coop.sahkar.client.InferenceClient;
import coop.sahkar.deploy.demo.DemoPool;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.WorkerStatus;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.gguf.ModelSizes;
import coop.sahkar.worker.llama.LlamaLibrary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Measures a chain of worker processes beside the same library computing the whole model in this
 * process. The two take turns, so that whatever else the machine does meets both.
 */
public final class Bench {
    private static final String WORDS = "members lend their machines and the pool answers ";

    /** Until the JVMs have compiled what a token passes through. */
    private static final int WARM_UP_RUNS = 20;

    /** Until they have compiled what many sessions at once pass through. */
    private static final int CROWD_WARM_UP_RUNS = 4;

    /** Until they have compiled what a long prompt passes through. */
    private static final int LONG_WARM_UP_RUNS = 2;

    private final BenchPlan plan;
    private final LlamaLibrary library;
    private final Path model;
    private final ModelSizes sizes;
    private final Consumer<String> step;

    /**
     * Prepares a benchmark.
     *
     * @param model the model of the plan's shape
     * @param sizes of its parts
     * @param step is told what is done next
     */
    public Bench(
            BenchPlan plan,
            LlamaLibrary library,
            Path model,
            ModelSizes sizes,
            Consumer<String> step) {
        this.plan = plan;
        this.library = library;
        this.model = model;
        this.sizes = sizes;
        this.step = step;
    }

    /**
     * Runs it against a pool that serves the model; takes a minute or several.
     *
     * @throws BenchException in a sentence, if a run fails
     */
    public BenchReport run(DemoPool pool, InferenceClient client) throws InterruptedException {
        BenchReport.Machine machine =
                new BenchReport.Machine(
                        Runtime.getRuntime().availableProcessors(),
                        SystemFacts.processor(),
                        SystemFacts.load());
        Chain chain = new Chain(client, pool.modelId());
        try (WholeModel whole = new WholeModel(library, model, plan.threads(), plan.kvPositions());
                Parts parts = Parts.cut(library, model, spans(pool), pool.folder(), plan)) {
            String prompt = prompt(whole, plan.promptTokens());
            String shorter = prompt(whole, 16);
            Measured measured = new Measured();
            warmUp(whole, chain, shorter, prompt);
            for (int round = 1; round <= plan.rounds(); round++) {
                step.accept("round %d of %d".formatted(round, plan.rounds()));
                for (int i = 1; i <= BenchPlan.CROWDS; i++) {
                    double single = chain.together(List.of(shorter), plan.tokens());
                    measured.sessions.add(
                            single, chain.together(manyPrompts(shorter), plan.tokens()));
                }
                pairs(whole, parts, chain, prompt, measured);
            }
            pool.awaitIdle();
            return new BenchReport(
                    plan,
                    machine,
                    library.release(),
                    whole.tokensOf(prompt),
                    measured.decode.pairs(),
                    measured.inMemory.pairs(),
                    measured.prefill.pairs(),
                    measured.sessions.pairs(),
                    pace(pool),
                    memory(pool));
        } catch (StageException | IOException e) {
            throw new BenchException(String.valueOf(e.getMessage()), e);
        }
    }

    /** What was measured in turns. */
    private static final class Measured {
        final Turns decode = new Turns();
        final Turns inMemory = new Turns();
        final Turns prefill = new Turns();
        final Turns sessions = new Turns();
    }

    /** One process, the chain and the parts in memory, in turns. */
    private void pairs(WholeModel whole, Parts parts, Chain chain, String prompt, Measured measured)
            throws StageException, InterruptedException {
        int[] tokens = whole.tokens(prompt);
        parts.prefill(tokens);
        double prefill = whole.prefill(tokens);
        List<Double> prefills = new ArrayList<>();
        for (int i = 1; i <= BenchPlan.DECODES; i++) {
            double alone = whole.decode(plan.tokens());
            Speed chained = chain.run(prompt, plan.tokens());
            measured.decode.add(alone, chained.decode());
            measured.inMemory.add(alone, parts.decode(plan.tokens()));
            prefills.add(chained.prefill());
        }
        measured.prefill.add(prefill, Medians.of(prefills));
    }

    private void warmUp(WholeModel whole, Chain chain, String prompt, String longer)
            throws StageException, InterruptedException {
        step.accept("warming up");
        var _ = whole.prefill(whole.tokens(prompt)) + whole.decode(plan.tokens());
        for (int i = 0; i < WARM_UP_RUNS; i++) {
            chain.run(prompt, plan.tokens());
        }
        for (int i = 0; i < CROWD_WARM_UP_RUNS; i++) {
            chain.together(manyPrompts(prompt), plan.tokens());
        }
        for (int i = 0; i < LONG_WARM_UP_RUNS; i++) {
            chain.run(longer, plan.tokens());
        }
    }

    private static String prompt(WholeModel whole, int tokens) {
        StringBuilder text = new StringBuilder(WORDS);
        while (whole.tokensOf(text.toString()) < tokens) {
            text.append(WORDS);
        }
        while (whole.tokensOf(text.toString()) > tokens && text.length() > 1) {
            text.setLength(text.length() - 1);
        }
        return text.toString();
    }

    private List<String> manyPrompts(String prompt) {
        return IntStream.range(0, plan.sessions()).mapToObj(i -> prompt + " " + i).toList();
    }

    /** What the workers hold, in the order of the chain. */
    private static List<Span> spans(DemoPool pool) {
        return pool.workers().stream()
                .flatMap(worker -> worker.getShardsList().stream())
                .map(shard -> new Span(shard.getSpan().getFirst(), shard.getSpan().getEnd()))
                .sorted()
                .toList();
    }

    /** What the workers measured themselves, in the order of the chain. */
    private static List<BenchReport.StagePace> pace(DemoPool pool) {
        return pool.workers().stream()
                .flatMap(worker ->
                        worker.getShardsList().stream()
                                .map(shard ->
                                        new BenchReport.StagePace(
                                                worker.getHello().getWorkerId(),
                                                shard.getSpan().getFirst(),
                                                shard.getLoneDecodeMicros(),
                                                shard.getLoneTokenMicros(),
                                                shard.getLoneOutsideMicros(),
                                                shard.getInnerHopMicros())))
                .sorted(Comparator.comparingInt(BenchReport.StagePace::firstBlock))
                .toList();
    }

    private List<BenchReport.WorkerMemory> memory(DemoPool pool) {
        List<BenchReport.WorkerMemory> workers = new ArrayList<>();
        for (WorkerStatus worker : pool.workers()) {
            String id = worker.getHello().getWorkerId();
            long shard = 0;
            long kv = 0;
            for (ShardReport report : worker.getShardsList()) {
                shard += report.getBytesTotal();
                Span span = new Span(report.getSpan().getFirst(), report.getSpan().getEnd());
                kv += report.getKvCells() * sizes.kvBytesPerPosition(span);
            }
            workers.add(
                    new BenchReport.WorkerMemory(
                            id, shard, kv, SystemFacts.residentBytes(pool.pid(id))));
        }
        return workers;
    }
}
