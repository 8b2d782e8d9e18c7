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
        try (WholeModel whole =
                new WholeModel(library, model, plan.threads(), plan.kvPositions())) {
            String prompt = prompt(whole, plan.promptTokens());
            String shorter = prompt(whole, 16);
            List<Speed> alone = new ArrayList<>();
            List<Speed> chained = new ArrayList<>();
            List<Double> ceiling = new ArrayList<>();
            List<Double> single = new ArrayList<>();
            List<Double> together = new ArrayList<>();
            Parts parts = Parts.cut(library, model, spans(pool), pool.folder(), plan);
            warmUp(whole, chain, shorter, prompt);
            for (int round = 1; round <= plan.rounds(); round++) {
                step.accept("round %d of %d".formatted(round, plan.rounds()));
                alone.add(whole.run(prompt, plan.tokens()));
                chained.add(chain.run(prompt, plan.tokens()));
                ceiling.add(parts.decode(whole.tokens(prompt), plan.tokens()));
                single.add(chain.together(List.of(shorter), plan.tokens()));
                together.add(chain.together(manyPrompts(shorter), plan.tokens()));
            }
            return new BenchReport(
                    plan,
                    machine,
                    library.release(),
                    whole.tokensOf(prompt),
                    median(alone),
                    median(chained),
                    medianOf(ceiling),
                    medianOf(single),
                    medianOf(together),
                    pace(pool),
                    memory(pool));
        } catch (StageException | IOException e) {
            throw new BenchException(String.valueOf(e.getMessage()), e);
        }
    }

    private void warmUp(WholeModel whole, Chain chain, String prompt, String longer)
            throws StageException, InterruptedException {
        step.accept("warming up");
        whole.run(prompt, plan.tokens());
        for (int i = 0; i < WARM_UP_RUNS; i++) {
            chain.run(prompt, plan.tokens());
        }
        chain.together(manyPrompts(prompt), plan.tokens());
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

    private static Speed median(List<Speed> speeds) {
        return new Speed(
                median(speeds.stream().mapToDouble(Speed::prefill).toArray()),
                median(speeds.stream().mapToDouble(Speed::decode).toArray()));
    }

    private static double median(double... values) {
        return Medians.of(values);
    }

    private static double medianOf(List<Double> values) {
        return median(values.stream().mapToDouble(Double::doubleValue).toArray());
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
