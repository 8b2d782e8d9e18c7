package coop.sahkar.deploy.cli;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.coordinator.CoordinatorOptions;
import coop.sahkar.coordinator.Identity;
import coop.sahkar.coordinator.Surroundings;
import coop.sahkar.coordinator.gateway.Gateway;
import coop.sahkar.coordinator.gateway.GatewayException;
import coop.sahkar.coordinator.gateway.GatewayOptions;
import coop.sahkar.coordinator.identity.Founding;
import coop.sahkar.coordinator.state.LogBrokenException;
import coop.sahkar.proto.tls.Credentials;
import coop.sahkar.proto.tls.IdentityException;
import coop.sahkar.proto.tls.JoinToken;
import coop.sahkar.proto.tls.Joining;
import coop.sahkar.proto.tls.NodeFolder;
import coop.sahkar.proto.tls.Role;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs a coordinator and its gateway, from the first start to the end. */
final class CoordinatorRun {
    private static final Executor FAREWELL = CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS);

    /** A member of a group waits for the others, which may be started by hand. */
    private static final int MAJORITY_MILLIS = 10 * 60_000;

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
            description = {
                "Where coordinators keep their common log, reachable for the others; port 0 picks one at the first start.",
                "Default: as at the last start, at first 127.0.0.1:"
                        + CoordinatorOptions.DEFAULT_RAFT_PORT
                        + "."
            })
    private @Nullable Endpoint raft;

    @Option(
            names = "--advertise",
            paramLabel = "HOST:PORT",
            split = ",",
            description =
                    "Where workers, clients and other coordinators reach this one's gateway. Default: --listen.")
    private List<String> advertised = List.of();

    @Option(
            names = "--id",
            paramLabel = "NAME",
            description =
                    "Names it in the pool. Default: as at the first start; then 'coordinator', or one that is drawn when it joins.")
    private @Nullable String id;

    @Option(
            names = "--host",
            paramLabel = "NAME",
            split = ",",
            description =
                    "Names and addresses that stand in its certificate, for browsers and other programs that look at them. Default: those of --listen and --advertise, and localhost. Counts when it gets its first certificate.")
    private List<String> hosts = List.of();

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

    @Option(
            names = "--exit-with-parent",
            hidden = true,
            description = "End when standard input does; for programs that start coordinators.")
    private boolean exitWithParent;

    /** Where its data folder is, or will be. */
    Path place() {
        return data.place("coordinator");
    }

    /** Founds a co-operative in its data folder. */
    void found(String name, String newId, Consumer<String> note) {
        try {
            NodeFolder made =
                    Founding.found(place(), name, id(newId), hosts(), System.currentTimeMillis());
            note.accept(
                    "Co-operative '%s' is founded. Whoever can read %s can make members; %s is for everyone."
                            .formatted(name, made.path(), made.publicCertificate()));
        } catch (IdentityException e) {
            throw Membership.failure(e);
        }
    }

    /**
     * Joins a co-operative with a token, unless it has done so before.
     *
     * @param token null for none
     */
    void join(@Nullable JoinToken token, String newId, Consumer<String> note) {
        if (token == null || Membership.in(place()).present()) {
            return;
        }
        if (token.role() != Role.COORDINATOR) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "The token is for a %s, not for a coordinator.".formatted(token.role().word()));
        }
        try {
            Credentials joined =
                    new Joining(NodeFolder.in(place()), System::currentTimeMillis)
                            .join(token, id(newId), hosts());
            note.accept("Joined '%s' as %s".formatted(joined.name().coop(), joined.name()));
        } catch (IdentityException e) {
            throw Membership.failure(e);
        }
    }

    /** As the command line says, or its data, or its certificate. */
    private String id(String newId) {
        if (id != null) {
            return id;
        }
        return Identity.read(place())
                .map(Identity::id)
                .or(() -> Membership.in(place()).credentials().map(own -> own.name().id()))
                .orElse(newId);
    }

    private List<String> hosts() {
        if (!hosts.isEmpty()) {
            return hosts;
        }
        Set<String> all = new LinkedHashSet<>();
        all.add(listen.host());
        advertised.forEach(at -> all.add(Endpoint.parse(at).host()));
        all.addAll(List.of("127.0.0.1", "localhost"));
        return List.copyOf(all);
    }

    /**
     * Runs until it is told to end.
     *
     * @param newId what it is called where neither the command line nor its data say so
     * @param joinThrough a gateway of the pool to join; null when it begins one or goes on
     */
    int run(String newId, @Nullable String joinThrough, PrintWriter out, Consumer<String> note)
            throws InterruptedException {
        if (exitWithParent) {
            ParentWatch.start();
        }
        Membership own = Membership.in(place());
        expose.check(raft == null ? List.of(listen) : List.of(listen, raft), own.present());
        Path folder = data.folder("coordinator");
        try (Lifetime lifetime = new Lifetime()) {
            CoordinatorOptions options = options(folder, newId, joinThrough);
            expose.check(
                    List.of(listen, new Endpoint(options.raftHost(), options.raftPort())),
                    own.present());
            Logging.alsoTo(data.folder("logs"), "coordinator");
            if (options.startTimeoutMillis() == MAJORITY_MILLIS) {
                note.accept("waiting for a majority of the coordinators ...");
            }
            Coordinator coordinator = lifetime.add(Coordinator.start(options));
            GatewayOptions door =
                    GatewayOptions.defaults()
                            .at(listen.host(), listen.port())
                            .withCors(noCors ? List.of() : corsOrigins)
                            .withRoutesTold(!noRouteHeaders);
            Gateway gateway = lifetime.add(Gateway.start(coordinator, door));
            coordinator.announce(own(gateway));
            out.println("Coordinator '%s' is ready at %s".formatted(options.id(), gateway.url()));
            out.println("  OpenAI API   %s/v1".formatted(gateway.url()));
            out.println("  Ollama API   %s".formatted(gateway.url()));
            if (own.present()) {
                out.println("  encryption   %s".formatted(own.described()));
            }
            out.println("  data         %s".formatted(folder));
            out.flush();
            awaitEnd(lifetime, coordinator, note);
        } catch (CoordinatorException | GatewayException e) {
            int code =
                    e.getCause() instanceof LogBrokenException
                            ? ExitCode.LOG_FAILED
                            : ExitCode.FAILED;
            throw new CommandFailure(code, String.valueOf(e.getMessage()), e);
        }
        return ExitCode.OK;
    }

    /** Where others reach the gateway. */
    private String own(Gateway gateway) {
        return advertised.isEmpty()
                ? new Endpoint(listen.host(), gateway.port()).toString()
                : advertised.getFirst();
    }

    /**
     * Waits until Ctrl-C, or until the log fails: then those who wait for it hear so before the
     * gateway closes.
     */
    private static void awaitEnd(Lifetime lifetime, Coordinator coordinator, Consumer<String> note)
            throws InterruptedException {
        CompletableFuture<String> failed = coordinator.logFailure();
        CompletableFuture<String> removed = coordinator.removed();
        var _ = CompletableFuture.anyOf(failed, removed).thenRunAsync(lifetime::end, FAREWELL);
        lifetime.await();
        if (removed.isDone()) {
            note.accept("Ended: %s.".formatted(removed.join()));
        } else if (failed.isDone()) {
            throw new CommandFailure(ExitCode.LOG_FAILED, "Ended: %s.".formatted(failed.join()));
        }
    }

    private CoordinatorOptions options(Path folder, String newId, @Nullable String joinThrough) {
        Optional<Surroundings> before = Surroundings.read(folder);
        Endpoint log = raft(before);
        List<String> gateways =
                advertised.isEmpty() && listen.port() != 0
                        ? List.of(listen.toString())
                        : advertised;
        CoordinatorOptions options =
                CoordinatorOptions.single(id(newId), folder)
                        .withRaft(log.host(), log.port())
                        .withAdvertised(gateways);
        if (joinThrough != null) {
            options = options.joining(joinThrough);
        }
        boolean waits = before.map(place -> !place.alone()).orElse(false);
        return waits ? options.withStartTimeout(MAJORITY_MILLIS) : options;
    }

    private Endpoint raft(Optional<Surroundings> before) {
        Endpoint wanted = raft;
        if (before.isPresent() && (wanted == null || wanted.port() == 0)) {
            return Endpoint.parse(before.get().raft());
        }
        return wanted == null
                ? new Endpoint("127.0.0.1", CoordinatorOptions.DEFAULT_RAFT_PORT)
                : wanted;
    }
}
