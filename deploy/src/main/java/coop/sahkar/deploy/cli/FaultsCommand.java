package coop.sahkar.deploy.cli;

import coop.sahkar.client.InferenceClient;
import coop.sahkar.deploy.bench.BenchException;
import coop.sahkar.deploy.bench.CoordinatorFaultBench;
import coop.sahkar.deploy.bench.CoordinatorFaultReport;
import coop.sahkar.deploy.bench.FaultBench;
import coop.sahkar.deploy.bench.FaultReport;
import coop.sahkar.deploy.bench.PartitionBench;
import coop.sahkar.deploy.bench.PartitionReport;
import coop.sahkar.deploy.demo.ClusterPool;
import coop.sahkar.deploy.demo.DemoException;
import coop.sahkar.deploy.demo.DemoPool;
import coop.sahkar.deploy.network.SmallInternet;
import coop.sahkar.governance.Policy;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.TensorType;
import coop.sahkar.worker.gguf.synthetic.RandomModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sahkar faults}. */
@Command(
        name = "faults",
        description = {
            "Strike workers in mid-answer and measure what the reader notices.",
            "",
            "With --coordinators it is the coordinators that are killed, the leader every other time, while --readers answers run at once and the log is written; each is started again after a while. Reported are broken answers, answers with a token missing or doubled, how likely the tokens were where others say something else than undisturbed ones, acknowledged commands that were lost, usage that was posted twice, and how long it took until there was a new leader.",
            "",
            "With --partitions as well nobody is killed: each coordinator gets a network namespace, and the network between them is broken in six ways in turn, while clients of all of them read, write and swap settings of the policy, tiers of accounts, and keys. At the end a search says whether everything they heard could have come from one copy of each (linearizability); if not, the smallest part that shows it is printed.",
            "",
            "Otherwise it runs a chain of three stages with two workers for each on this machine, kills the head, the middle and the tail of answers in turn at random moments, and reports the pauses, how much of them went by until the loss was noticed, whether the text is that of the unbroken answer, and what was computed again.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar faults",
            "  sahkar faults --blows 200 --json faults.json",
            "  sahkar faults --stop --blows 30",
            "  sahkar faults --leave --blows 30",
            "  sudo sahkar faults --cut --blows 30",
            "  sahkar faults --shape 160M --context 1000",
            "  sahkar faults --coordinators 3 --blows 100",
            "  sudo sahkar faults --coordinators 3 --partitions --blows 60",
            "",
            "Let the machine do nothing else meanwhile."
        })
final class FaultsCommand extends Subcommand {
    private static final String BUNDLED = "models/sahkar-tiny/sahkar-tiny-Q8_0.gguf";
    private static final int STAGES = 3;
    private static final int DRAIN_SECONDS = 30;

    /** Beside coordinators that are killed. */
    private static final int WORKERS = 5;

    /** Answers of each reader before coordinators are killed: to know the texts. */
    private static final int LEARNED = 3;

    /** And then, to know how often texts differ undisturbed. */
    private static final int CONTROL = 10;

    /** Positions of each KV cache beyond context and answer: a prompt's bytes are reserved. */
    private static final int KV_SPARE = 8192;

    @Option(
            names = "--blows",
            paramLabel = "N",
            defaultValue = "30",
            description = "How many answers, or coordinators, are struck. Default: 30.")
    private int blows;

    @Option(
            names = "--minutes",
            paramLabel = "N",
            defaultValue = "1440",
            description = "Strike no more after so long, and tell what was seen until then.")
    private int minutes;

    @ArgGroup private @Nullable OtherBlow other;

    private static final class OtherBlow {
        @Option(
                names = "--stop",
                description =
                        "Stop the processes (SIGSTOP) instead of killing them: they keep their connections.")
        private boolean stop;

        @Option(
                names = "--leave",
                description =
                        "Tell the processes to leave (SIGTERM) instead of killing them: they hand over what they hold.")
        private boolean leave;

        @Option(
                names = "--cut",
                description =
                        "Lose what a stage sends to the next one, and not what comes back, instead. The workers get network namespaces, for which it has to be run as root, with iproute2 and iptables there.")
        private boolean cut;

        FaultBench.Blow blow() {
            if (leave) {
                return FaultBench.Blow.LEAVE;
            }
            return cut ? FaultBench.Blow.CUT : stop ? FaultBench.Blow.STOP : FaultBench.Blow.KILL;
        }
    }

    @Option(
            names = "--context",
            paramLabel = "TOKENS",
            defaultValue = "400",
            description = "About how many tokens the prompt has. Default: 400.")
    private int context;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "80",
            description = "Most tokens of an answer. Default: 80.")
    private int tokens;

    @Option(
            names = "--coordinators",
            paramLabel = "N",
            description =
                    "Kill coordinators, of which there are N (3 or 5), instead of workers, of which there are five then.")
    private int coordinators;

    @Option(
            names = "--change-members",
            description =
                    "With --coordinators 3: begin with one, let four join one by one under load, and remove two, the leader each time, before any are killed.")
    private boolean changeMembers;

    @Option(
            names = "--partitions",
            description =
                    "With --coordinators: break the network between them instead of killing them. It has to be run as root, with iproute2 and iptables there.")
    private boolean partitions;

    @Option(
            names = "--local-reads",
            description =
                    "With --partitions: read settings as each coordinator knows them itself. That is not linearizable; it shows that the search finds it.")
    private boolean localReads;

    @Option(
            names = "--readers",
            paramLabel = "N",
            defaultValue = "20",
            description =
                    "With --coordinators: answers, or with --partitions clients, at once. Default: 20.")
    private int readers;

    @Option(
            names = "--shape",
            paramLabel = "SHAPE",
            description =
                    "A model of random weights in Q4_0, 160M or 1.1B, instead of the bundled one.")
    private @Nullable String shape;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Decides the random moments. Default: 1.")
    private long seed;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures there too.")
    private @Nullable Path json;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (blows < 1 || context < 1 || minutes < 1 || tokens < 4) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--blows, --context and --minutes take 1 or more, --tokens 4 or more.");
        }
        if (shape != null && !RandomModel.presets().contains(shape)) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--shape takes %s.".formatted(String.join(" or ", RandomModel.presets())));
        }
        if (partitions ? coordinators < 3 || changeMembers : localReads) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--partitions goes with --coordinators 3 or 5 and without --change-members, --local-reads with --partitions.");
        }
        if (coordinators != 0) {
            checkForCoordinators();
            return partitions ? cutCoordinators() : killCoordinators();
        }
        FaultReport report = measure();
        out().println(report.table());
        out().flush();
        if (json != null) {
            Files.writeString(json, Json.write(report.values()) + "\n");
        }
        return ExitCode.OK;
    }

    private void checkForCoordinators() {
        if (other != null
                || shape != null
                || readers < 1
                || coordinators % 2 == 0
                || (changeMembers && coordinators != 3)) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--coordinators takes 3 or 5, goes with --blows, --minutes, --tokens, --readers and --seed, and --readers takes 1 or more.");
        }
    }

    private int cutCoordinators() throws IOException, InterruptedException {
        try (Lifetime lifetime = new Lifetime()) {
            SmallInternet internet = lifetime.add(internet("--partitions"));
            step("starting %d coordinators".formatted(coordinators));
            ClusterPool pool = lifetime.add(ClusterPool.start(Home.launcher(), internet));
            for (int i = 2; i <= coordinators; i++) {
                pool.add("c" + i);
            }
            PartitionBench.Reads reads =
                    localReads ? PartitionBench.Reads.LOCAL : PartitionBench.Reads.LATEST;
            PartitionReport report =
                    new PartitionBench(pool, internet, readers, reads, new Random(seed), this::step)
                            .run(blows, Duration.ofMinutes(minutes));
            out().println(report.table());
            out().flush();
            if (json != null) {
                Files.writeString(json, Json.write(report.values()) + "\n");
            }
            return report.judgement().linearizable() ? ExitCode.OK : ExitCode.FAILED;
        } catch (DemoException | BenchException e) {
            throw new CommandFailure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
    }

    private int killCoordinators() throws IOException, InterruptedException {
        try (Lifetime lifetime = new Lifetime()) {
            step("starting %d coordinators and %d workers".formatted(coordinators, WORKERS));
            ClusterPool pool = lifetime.add(ClusterPool.start(Home.launcher()));
            for (int i = 2; i <= coordinators && !changeMembers; i++) {
                pool.add("c" + i);
            }
            pool.serve(Home.folder().resolve(BUNDLED), WORKERS, STAGES);
            CoordinatorFaultReport report =
                    new CoordinatorFaultBench(pool, readers, tokens, new Random(seed), this::step)
                            .run(
                                    new CoordinatorFaultBench.Campaign(
                                            changeMembers,
                                            blows,
                                            Duration.ofMinutes(minutes),
                                            LEARNED,
                                            CONTROL));
            out().println(report.table());
            out().flush();
            if (json != null) {
                Files.writeString(json, Json.write(report.values()) + "\n");
            }
            return report.whole() ? ExitCode.OK : ExitCode.FAILED;
        } catch (DemoException | BenchException e) {
            throw new CommandFailure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
    }

    private FaultReport measure() throws IOException, InterruptedException {
        Policy policy =
                Policy.DEFAULT
                        .withKvPositions(context + tokens + KV_SPARE)
                        .withRestingSessions(0); // each answer begins at its prompt's first token
        try (Lifetime lifetime = new Lifetime()) {
            FaultBench.Blow blow = other == null ? FaultBench.Blow.KILL : other.blow();
            SmallInternet internet =
                    blow == FaultBench.Blow.CUT ? lifetime.add(internet("--cut")) : null;
            DemoPool pool = lifetime.add(DemoPool.start(policy, internet));
            Path launcher = Home.launcher();
            pool.serve(launcher, model(pool), crew(blow), STAGES, this::step);
            InferenceClient client = lifetime.add(InferenceClient.connect(pool.address()));
            return new FaultBench(pool, client, blow, tokens, new Random(seed), this::step)
                    .run(blows, Duration.ofMinutes(minutes), context, STAGES);
        } catch (DemoException | BenchException e) {
            throw new CommandFailure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
    }

    private static DemoPool.Crew crew(FaultBench.Blow blow) {
        int drainSeconds = blow == FaultBench.Blow.LEAVE ? DRAIN_SECONDS : 0;
        return new DemoPool.Crew(2 * STAGES, 1, drainSeconds);
    }

    private static SmallInternet internet(String option) throws IOException {
        Optional<String> obstacle = SmallInternet.obstacle();
        if (obstacle.isPresent()) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "%s has to be run as root, with iproute2 and iptables there: %s."
                            .formatted(option, obstacle.get()));
        }
        return SmallInternet.create();
    }

    private Path model(DemoPool pool) throws IOException, InterruptedException {
        if (shape == null) {
            return Home.folder().resolve(BUNDLED);
        }
        step("writing a model of shape " + shape);
        Path file = pool.folder().resolve("random-" + shape + ".gguf");
        TensorType stored = TensorType.ofName("Q4_0").orElseThrow();
        RandomModel.preset(shape, stored, 1).write(file, Progress.NONE);
        return file;
    }

    private void step(String what) {
        note("faults: " + what + " ...");
    }
}
