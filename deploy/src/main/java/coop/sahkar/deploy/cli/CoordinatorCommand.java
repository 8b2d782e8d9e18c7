package coop.sahkar.deploy.cli;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.coordinator.CoordinatorOptions;
import coop.sahkar.coordinator.gateway.Gateway;
import coop.sahkar.coordinator.gateway.GatewayException;
import coop.sahkar.coordinator.gateway.GatewayOptions;
import coop.sahkar.coordinator.state.LogBrokenException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sahkar coordinator}. */
@Command(
        name = "coordinator",
        description = {
            "Run a coordinator and its gateway.",
            "",
            "Workers report to it, it decides who serves which blocks, and clients ask through its gateway.",
            "",
            "It remembers models and placement in its data folder; starting it again goes on where it stopped. It ends with Ctrl-C, and by itself, with exit code 7, when its disk is full: make room and start it again.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar coordinator",
            "  sahkar coordinator --listen 127.0.0.1:8000 --data /srv/sahkar",
            "  sahkar identity init --host 192.168.1.10 && sahkar coordinator --listen 192.168.1.10:7311",
            "",
            "What comes next: 'sahkar worker' lends this machine's memory, 'sahkar publish FILE.gguf'",
            "brings a model, and any OpenAI client answers through http://127.0.0.1:7311/v1."
        })
final class CoordinatorCommand extends Subcommand {
    private static final Executor FAREWELL = CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS);

    @Mixin private DataOptions data = new DataOptions();
    @Mixin private ExposeOption expose = new ExposeOption();

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            converter = Endpoint.Converter.class,
            defaultValue = "127.0.0.1:" + GatewayOptions.DEFAULT_PORT,
            description = {
                "Where workers and clients connect (gRPC and HTTP on one port); port 0 picks one.",
                "Default: ${DEFAULT-VALUE}, this machine only."
            })
    private Endpoint listen = new Endpoint("127.0.0.1", GatewayOptions.DEFAULT_PORT);

    @Option(
            names = "--raft-listen",
            paramLabel = "HOST:PORT",
            converter = Endpoint.Converter.class,
            defaultValue = "127.0.0.1:" + CoordinatorOptions.DEFAULT_RAFT_PORT,
            description = "Where coordinators keep their common log. Default: ${DEFAULT-VALUE}.")
    private Endpoint raft = new Endpoint("127.0.0.1", CoordinatorOptions.DEFAULT_RAFT_PORT);

    @Option(
            names = "--advertise",
            paramLabel = "HOST:PORT",
            split = ",",
            description =
                    "Where workers reach the pool's coordinators, this one first. Default: --listen.")
    private List<String> advertised = List.of();

    @Option(
            names = "--id",
            paramLabel = "NAME",
            defaultValue = "coordinator",
            description = "Names it in the pool. Default: ${DEFAULT-VALUE}.")
    private String id = "coordinator";

    @Option(
            names = "--no-cors",
            description = "Do not let web pages of other origins call the API from a browser.")
    private boolean noCors;

    @Option(
            names = "--cors-origin",
            paramLabel = "ORIGIN",
            split = ",",
            description =
                    "Let only pages of these origins call the API from a browser, such as"
                            + " https://example.org. Default: those of any.")
    private List<String> corsOrigins = List.of(GatewayOptions.ANY_ORIGIN);

    @Option(
            names = "--no-route-headers",
            description = "Do not tell in x-sahkar-* headers which workers an answer came from.")
    private boolean noRouteHeaders;

    @Override
    public Integer call() throws InterruptedException {
        Membership member = Membership.in(data.place("coordinator"));
        expose.check(List.of(listen, raft), member.present());
        Path folder = data.folder("coordinator");
        Logging.alsoTo(data.folder("logs"), "coordinator");
        try (Lifetime lifetime = new Lifetime()) {
            Coordinator coordinator = lifetime.add(Coordinator.start(options(folder)));
            GatewayOptions door =
                    GatewayOptions.defaults()
                            .at(listen.host(), listen.port())
                            .withCors(noCors ? List.of() : corsOrigins)
                            .withRoutesTold(!noRouteHeaders);
            Gateway gateway = lifetime.add(Gateway.start(coordinator, door));
            out().println("Coordinator '%s' is ready at %s".formatted(id, gateway.url()));
            out().println("  OpenAI API   %s/v1".formatted(gateway.url()));
            out().println("  Ollama API   %s".formatted(gateway.url()));
            if (member.present()) {
                out().println("  encryption   %s".formatted(member.described()));
            }
            out().println("  data         %s".formatted(folder));
            out().flush();
            awaitEnd(lifetime, coordinator);
        } catch (CoordinatorException | GatewayException e) {
            int code =
                    e.getCause() instanceof LogBrokenException
                            ? ExitCode.LOG_FAILED
                            : ExitCode.FAILED;
            throw new CommandFailure(code, String.valueOf(e.getMessage()), e);
        }
        return ExitCode.OK;
    }

    /**
     * Waits until Ctrl-C, or until the log fails: then those who wait for it hear so before the
     * gateway closes.
     */
    private static void awaitEnd(Lifetime lifetime, Coordinator coordinator)
            throws InterruptedException {
        CompletableFuture<String> failed = coordinator.logFailure();
        var _ = failed.thenRunAsync(lifetime::end, FAREWELL);
        lifetime.await();
        if (failed.isDone()) {
            throw new CommandFailure(ExitCode.LOG_FAILED, "Ended: %s.".formatted(failed.join()));
        }
    }

    private CoordinatorOptions options(Path folder) {
        return CoordinatorOptions.single(id, folder)
                .withRaft(raft.host(), raft.port())
                .withAdvertised(advertised.isEmpty() ? List.of(listen.toString()) : advertised);
    }
}
