package coop.sahkar.deploy.cli;

import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceException;
import coop.sahkar.deploy.bench.Bench;
import coop.sahkar.deploy.bench.BenchException;
import coop.sahkar.deploy.bench.BenchPlan;
import coop.sahkar.deploy.bench.BenchReport;
import coop.sahkar.deploy.bench.GatewayFigures;
import coop.sahkar.deploy.bench.LogFigures;
import coop.sahkar.deploy.bench.PlannerBench;
import coop.sahkar.deploy.bench.TurnsBench;
import coop.sahkar.deploy.demo.DemoException;
import coop.sahkar.deploy.demo.DemoPool;
import coop.sahkar.governance.Policy;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.gguf.GgufFile;
import coop.sahkar.worker.gguf.ManifestBuilder;
import coop.sahkar.worker.gguf.ModelSizes;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.TensorType;
import coop.sahkar.worker.gguf.synthetic.RandomModel;
import coop.sahkar.worker.llama.LlamaLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sahkar bench}. */
@Command(
        name = "bench",
        description = {
            "Measure a chain of workers beside one process.",
            "",
            "It runs worker processes on this machine, and the same llama.cpp computing the whole model in one process. The two take turns, five answers each in a round; reported are medians, the median ratio of the pairs, and between what ratios the middle half of them lies.",
            "",
            "The models have random weights: what they say means nothing, how fast they say it does.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar bench",
            "  sahkar bench --shape 160M --shape 1.1B --json bench.json",
            "  sahkar bench --stages 2 --threads 2 --sessions 8",
            "  sahkar bench --planner",
            "  sahkar bench --turns --prompt 400",
            "  sahkar bench --gateway",
            "  sahkar bench --log",
            "",
            "Let the machine do nothing else meanwhile, and leave a core for each worker thread."
        })
final class BenchCommand extends Subcommand {
    private static final String BUNDLED = "bundled";
    private static final String BUNDLED_FILE = "models/sahkar-tiny/sahkar-tiny-Q8_0.gguf";
    private static final int MOST_STAGES = 64;
    private static final int POOL_WORKERS = 10_000;
    private static final int POOL_MODELS = 100;
    private static final int POOL_CHANGES = 500;
    private static final int POOL_REPLACED = 3;

    @Option(
            names = "--shape",
            paramLabel = "SHAPE",
            description =
                    "160M or 1.1B; may be given several times. Default: 160M; with --turns the bundled model, whose words mean something.")
    private List<String> shapes = List.of();

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            defaultValue = "Q4_0",
            description = "How matrices are stored: F16, Q8_0, Q4_0, Q4_K, Q6_K. Default: Q4_0.")
    private String type = "Q4_0";

    @Option(
            names = "--stages",
            paramLabel = "N",
            defaultValue = "3",
            description = "Workers in the chain. Default: 3.")
    private int stages;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "1",
            description = "Threads of each worker, and of the one process. Default: 1.")
    private int threads;

    @Option(
            names = "--prompt",
            paramLabel = "TOKENS",
            defaultValue = "512",
            description = "Length of the long prompt. Default: 512.")
    private int promptTokens;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "64",
            description = "Tokens generated in each run. Default: 64.")
    private int tokens;

    @Option(
            names = "--sessions",
            paramLabel = "N",
            defaultValue = "16",
            description = "Sessions at once, beside one alone. Default: 16.")
    private int sessions;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "How often all of that is measured. Default: 3.")
    private int rounds;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description =
                    "Write the figures there too; - for standard output instead of the table.")
    private @Nullable String json;

    @Option(
            names = "--planner",
            description =
                    "Instead of a chain, time the planner: a made-up pool of 10,000 workers and 100 models, three of the workers replaced before each plan.")
    private boolean planner;

    @Option(
            names = "--turns",
            description =
                    "Instead of one answer, measure the second turn of a chat whose first message has about --prompt tokens (the bundled model has room for 512 in all), in a pool whose workers keep finished chats, and in one whose workers do not: time to the first token, as the asker sees it.")
    private boolean turns;

    @Mixin private GatewayLoad gateway = new GatewayLoad();

    @Mixin private LogLoad log = new LogLoad();

    @Override
    public Integer call() throws IOException, InterruptedException {
        check();
        if (gateway.wanted()) {
            return gatewayUnderLoad();
        }
        if (planner) {
            return plans();
        }
        if (log.wanted()) {
            return logUnderLoad();
        }
        if (turns) {
            for (String shape : shapes.isEmpty() ? List.of(BUNDLED) : shapes) {
                measureTurns(shape);
            }
            return ExitCode.OK;
        }
        List<BenchReport> reports = new ArrayList<>();
        for (String shape : shapes.isEmpty() ? List.of("160M") : shapes) {
            BenchReport report = measure(shape);
            reports.add(report);
            if (!"-".equals(json)) {
                out().println(report.table());
                out().flush();
            }
        }
        writeJson(reports.stream().map(BenchReport::values).toList());
        return ExitCode.OK;
    }

    private void writeJson(Object values) throws IOException {
        if (json == null) {
            return;
        }
        String text = Json.write(values);
        if (json.equals("-")) {
            out().println(text);
            out().flush();
        } else {
            Files.writeString(Path.of(json), text + "\n");
        }
    }

    private int gatewayUnderLoad() throws IOException, InterruptedException {
        GatewayFigures figures = gateway.measure(tokens, this::step);
        writeJson(figures);
        if (!"-".equals(json)) {
            out().print(figures.table());
            out().flush();
        }
        return figures.faults().isEmpty() ? ExitCode.OK : ExitCode.FAILED;
    }

    private int logUnderLoad() throws IOException {
        LogFigures figures = log.measure(this::step);
        writeJson(figures);
        if (!"-".equals(json)) {
            out().print(figures.table());
            out().flush();
        }
        return ExitCode.OK;
    }

    private int plans() throws IOException {
        step("planning for %,d workers and %d models".formatted(POOL_WORKERS, POOL_MODELS));
        PlannerBench.Result result =
                PlannerBench.run(POOL_WORKERS, POOL_MODELS, POOL_CHANGES, POOL_REPLACED, 1);
        writeJson(result);
        if ("-".equals(json)) {
            return ExitCode.OK;
        }
        out().printf("first plan of an empty pool  %8.1f ms%n", result.firstMillis());
        out().printf("planning a change, p50       %8.1f ms%n", result.p50Millis());
        out().printf("planning a change, p99       %8.1f ms%n", result.p99Millis());
        out().printf("planning a change, slowest   %8.1f ms%n", result.worstMillis());
        out().printf("models without a chain       %8d%n", result.lostModels());
        out().printf(
                        "bytes fetched / bytes lost   %8.3f%n",
                        (double) result.movedBytes() / Math.max(1, result.lostBytes()));
        out().flush();
        return ExitCode.OK;
    }

    private void check() {
        if (stages < 1 || stages > MOST_STAGES) {
            throw new CommandFailure(
                    ExitCode.USAGE, "--stages takes a number from 1 to " + MOST_STAGES + ".");
        }
        if (threads < 1 || promptTokens < 1 || tokens < 2 || sessions < 1 || rounds < 1) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--threads, --prompt, --sessions and --rounds take 1 or more, --tokens 2 or more.");
        }
        for (String shape : shapes) {
            if (!RandomModel.presets().contains(shape)) {
                throw new CommandFailure(
                        ExitCode.USAGE,
                        "--shape takes %s, not '%s'."
                                .formatted(String.join(" or ", RandomModel.presets()), shape));
            }
        }
    }

    private TensorType stored() {
        return TensorType.ofName(type)
                .filter(RandomModel.TYPES::contains)
                .orElseThrow(() ->
                        new CommandFailure(
                                ExitCode.USAGE,
                                "--type takes %s, not '%s'.".formatted(RandomModel.TYPES, type)));
    }

    private void measureTurns(String shape) throws IOException, InterruptedException {
        Turns anew = turns(shape, Policy.DEFAULT.withRestingSessions(0));
        Turns rested = turns(shape, Policy.DEFAULT);
        TurnsBench.Turn last = rested.turns().getLast();
        double anewMillis = TurnsBench.medianMillis(anew.turns());
        double restedMillis = TurnsBench.medianMillis(rested.turns());
        out().printf("%s model, second turns of %d tokens%n", shape, last.promptTokens());
        out().printf("not computed again              %8d tokens%n", last.cachedTokens());
        out().printf("first token, first turn rests   %8.1f ms%n", restedMillis);
        out().printf("first token, nothing rests      %8.1f ms%n", anewMillis);
        out().printf("times sooner                    %8.1f%n", anewMillis / restedMillis);
        out().printf("same text when computed anew    %5d of %d%n", rested.same(), rounds);
        out().flush();
    }

    /**
     * Second turns in one pool.
     *
     * @param same how many said the same when they were asked for once more, with nothing resting
     */
    private record Turns(List<TurnsBench.Turn> turns, long same) {}

    /** Second turns in a pool of their own; as many before only warm it up. */
    private Turns turns(String shape, Policy policy) throws IOException, InterruptedException {
        try (Lifetime lifetime = new Lifetime()) {
            DemoPool pool = lifetime.add(DemoPool.start(policy));
            serve(pool, shape);
            InferenceClient client = lifetime.add(InferenceClient.connect(pool.address()));
            step("measuring second turns");
            TurnsBench bench = new TurnsBench(client, pool.modelId());
            List<TurnsBench.Turn> all = bench.run(promptTokens, 2 * rounds);
            List<TurnsBench.Turn> turns = all.subList(rounds, all.size());
            long same =
                    turns.stream()
                            .filter(turn -> bench.turn(turn.chat()).text().equals(turn.text()))
                            .count();
            return new Turns(turns, same);
        } catch (DemoException | InferenceException e) {
            throw new CommandFailure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
    }

    /** Starts the workers of a chain. */
    private Path serve(DemoPool pool, String shape) throws IOException, InterruptedException {
        Path model = model(pool, shape);
        pool.serve(Home.launcher(), model, new DemoPool.Crew(stages, threads), stages, this::step);
        return model;
    }

    /** The bundled model, or one of random weights. */
    private Path model(DemoPool pool, String shape) throws IOException, InterruptedException {
        if (shape.equals(BUNDLED)) {
            return Home.folder().resolve(BUNDLED_FILE);
        }
        TensorType stored = stored();
        Path model = pool.folder().resolve("random-%s-%s.gguf".formatted(shape, stored));
        step("writing a model of shape " + shape);
        RandomModel.preset(shape, stored, 1).write(model, Progress.NONE);
        return model;
    }

    private BenchReport measure(String shape) throws IOException, InterruptedException {
        BenchPlan plan =
                new BenchPlan(shape, stages, threads, promptTokens, tokens, sessions, rounds);
        try (Lifetime lifetime = new Lifetime()) {
            // A prompt that was said before is to be computed again, as llama.cpp does here.
            Policy policy =
                    Policy.DEFAULT.withKvPositions(plan.kvPositions()).withRestingSessions(0);
            DemoPool pool = lifetime.add(DemoPool.start(policy));
            Path model = serve(pool, shape);
            LlamaLibrary library = LlamaLibrary.bundled(pool.folder().resolve("library"));
            InferenceClient client = lifetime.add(InferenceClient.connect(pool.address()));
            return new Bench(plan, library, model, sizes(model), this::step).run(pool, client);
        } catch (DemoException | BenchException | StageException e) {
            throw new CommandFailure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
    }

    private static ModelSizes sizes(Path model) throws IOException, InterruptedException {
        try (GgufFile file = GgufFile.open(model)) {
            String name = ManifestBuilder.nameOf(model);
            return ModelSizes.of(ManifestBuilder.build(file, name, 1, Progress.NONE));
        }
    }

    private void step(String what) {
        note("bench: " + what + " ...");
    }
}
