package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.tls.JoinToken;
import coop.sahkar.worker.agent.Machine;
import coop.sahkar.worker.agent.Relaying;
import coop.sahkar.worker.agent.WorkerException;
import coop.sahkar.worker.agent.WorkerNode;
import coop.sahkar.worker.agent.WorkerOptions;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sahkar worker}. */
@Command(
        name = "worker",
        description = {
            "Lend this machine to a pool: hold some layers of a model and compute with them.",
            "",
            "The coordinator decides which layers; the worker fetches them, checks them, and serves until Ctrl-C. Then it hands what runs here over to other workers, serves on what only it has until another has it, and leaves; a second Ctrl-C leaves at once. What it fetched stays in its data folder for the next time.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar worker",
            "  sahkar worker --memory 8G --threads 4",
            "  sahkar worker --listen 192.168.1.20:7400 --join token-file",
            "  sahkar worker --llama /opt/llama.cpp/build/bin --gpu-layers 99",
            "",
            "What comes next: 'sahkar status' shows it among the workers; 'sahkar publish FILE.gguf' gives",
            "it something to do."
        })
final class WorkerCommand extends Subcommand {
    @Mixin private PoolOptions pool = new PoolOptions();
    @Mixin private DataOptions data = new DataOptions();
    @Mixin private TokenOption token = new TokenOption();
    @Mixin private ExposeOption expose = new ExposeOption();

    @Option(
            names = "--id",
            paramLabel = "NAME",
            description = "Names it in the pool. Default: made at its first start and kept.")
    private @Nullable String id;

    @Option(
            names = "--owner",
            paramLabel = "ACCOUNT",
            defaultValue = "",
            description = {
                "Account of the co-operative's ledger that gets the credits for what this worker computes; 'commons' gives them to everybody. Nobody checks that it is yours: whoever names your account gives you his work.",
                "Default: an account of its own, worker/ID."
            })
    private String owner = "";

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            converter = MemorySize.Converter.class,
            description = {
                "Memory to lend for weights and conversations, such as 8G.",
                "Default: what this machine can spare."
            })
    private @Nullable MemorySize memory;

    @Option(
            names = "--disk",
            paramLabel = "SIZE",
            converter = MemorySize.Converter.class,
            description = "Disk space to lend for fetched layers. Default: 50 GB.")
    private @Nullable MemorySize disk;

    @Option(
            names = "--log-disk",
            paramLabel = "SIZE",
            converter = MemorySize.OrNone.class,
            description = {
                "Disk space for hidden states of running answers beyond what memory takes, so that a repair need not compute them again. Nobody else can read the files, and they go with the answer. 0 for none.",
                "Default: 1G."
            })
    private @Nullable Long logDisk;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads to compute with. Default: one for each core.")
    private @Nullable Integer threads;

    @Mixin private ListenOptions listen = new ListenOptions();

    @Option(
            names = "--metrics",
            paramLabel = "HOST:PORT",
            converter = Endpoint.Converter.class,
            description = {
                "Show how this worker fares to Prometheus, at http://HOST:PORT/metrics: its stages, its",
                "links, its disk. Port 0 picks one. Default: off."
            })
    private @Nullable Endpoint metrics;

    @Option(
            names = "--relay",
            paramLabel = "WHEN",
            defaultValue = "auto",
            description = {
                "When others reach this worker through a coordinator, over connections it opened itself: always, never, or auto, when the coordinator cannot connect to it (behind NAT or a firewall).",
                "Default: ${DEFAULT-VALUE}."
            })
    private Relaying relaying = Relaying.AUTO;

    @Option(
            names = "--llama",
            paramLabel = "DIR",
            description =
                    "Compute with the llama.cpp release in this folder (one with GPU support, for example) instead of the one that comes along.")
    private @Nullable Path llama;

    @Option(
            names = "--gpu-layers",
            paramLabel = "N",
            defaultValue = "0",
            description = "How many layers go to a GPU, with --llama. Default: 0.")
    private int gpuLayers;

    @Option(
            names = "--codec",
            paramLabel = "CODEC",
            split = ",",
            description = {
                "How hidden states travel to the next worker: F32 (exact) or F16 (half the bytes).",
                "Default: F32 within this machine, else F16."
            })
    private List<HiddenCodec> codecs = List.of();

    @Option(
            names = "--drain-timeout",
            paramLabel = "SECONDS",
            defaultValue = "60",
            description = {
                "How long all this may take after Ctrl-C or 'sahkar drain'. What runs here still then is cut off, and looks for another worker by itself. 0 leaves at once.",
                "Default: ${DEFAULT-VALUE}."
            })
    private int drainSeconds = 60;

    @Option(
            names = "--speed",
            hidden = true,
            defaultValue = "0",
            description = "Weight bytes per second to declare instead of measuring.")
    private long speed;

    @Option(
            names = "--exit-with-parent",
            hidden = true,
            description = "End when standard input does: the process that started this is gone.")
    private boolean exitWithParent;

    @Override
    public Integer call() throws InterruptedException {
        if (drainSeconds < 0) {
            throw new CommandFailure(ExitCode.USAGE, "--drain-timeout takes seconds, 0 or more");
        }
        JoinToken joining = token.token();
        Membership member = Membership.in(data.place("worker"));
        expose.check(List.of(listen.at()), joining != null || member.present());
        expose.check(metrics == null ? List.of() : List.of(metrics));
        if (exitWithParent) {
            ParentWatch.start();
        }
        WorkerOptions options = options(coordinators(joining, member), joining);
        Logging.alsoTo(data.folder("logs"), "worker");
        WorkerScreen screen = new WorkerScreen(this::note);
        try (Lifetime lifetime = new Lifetime()) {
            WorkerNode node = lifetime.add(WorkerNode.start(options, screen));
            node.metricsUrl().ifPresent(url -> note("Metrics at " + url));
            Departure departure = new Departure(node, drainSeconds, this::note);
            departure.listen(exitWithParent);
            screen.watch(node, departure);
        } catch (WorkerException e) {
            throw new CommandFailure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
        return ExitCode.OK;
    }

    /** Those that were named, else those that are known from joining. */
    private List<String> coordinators(@Nullable JoinToken joining, Membership member) {
        List<String> known = joining != null ? joining.coordinators() : member.coordinators();
        return pool.unnamed() && !known.isEmpty()
                ? known
                : pool.addresses().stream().map(CoordinatorAddress::toString).toList();
    }

    private WorkerOptions options(List<String> coordinators, @Nullable JoinToken joining) {
        try {
            WorkerOptions.Builder options =
                    WorkerOptions.builder(data.folder("worker"), coordinators, Machine.read())
                            .name(id)
                            .address(listen.at().host(), listen.at().port(), listen.advertised())
                            .library(llama, gpuLayers)
                            .codecs(codecs)
                            .decodeBytesPerSecond(speed)
                            .metrics(metrics == null ? null : metrics.socket())
                            .relaying(relaying)
                            .joining(joining)
                            .owner(owner)
                            .software(VersionCommand.software());
            if (memory != null) {
                options.memoryBytes(memory.bytes());
            }
            if (disk != null) {
                options.diskBytes(disk.bytes());
            }
            if (logDisk != null) {
                options.logDiskBytes(logDisk);
            }
            if (threads != null) {
                options.threads(threads);
            }
            return options.build();
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
        }
    }
}
