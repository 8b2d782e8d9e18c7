package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.deploy.terminal.Progress;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.worker.store.Publication;
import coop.sahkar.worker.store.PublishOptions;
import coop.sahkar.worker.store.Publisher;
import coop.sahkar.worker.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar publish}. */
@Command(
        name = "publish",
        description = {
            "Bring a model, one GGUF file, into the pool.",
            "",
            "It reads the file once, tells a coordinator what it consists of, and serves its bytes until workers hold every block; then it is no longer needed and exits. Workers fetch only the blocks they serve.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar publish models/sahkar-tiny/sahkar-tiny-Q8_0.gguf",
            "  sahkar publish model.gguf --min-stages 3",
            "  sahkar publish model.gguf --url https://models.example/model.gguf",
            "",
            "What comes next: 'sahkar models' shows it, 'sahkar chat' speaks with it.",
            "Publishing the same file again brings its sources up to date."
        })
final class PublishCommand extends Subcommand {
    @Mixin private PoolOptions pool = new PoolOptions();
    @Mixin private DataOptions data = new DataOptions();
    @Mixin private ExposeOption expose = new ExposeOption();

    @Parameters(paramLabel = "FILE.gguf", description = "The model.")
    private Path file = Path.of("");

    @Option(
            names = "--name",
            paramLabel = "NAME",
            defaultValue = "",
            description = "What the model shall be called. Default: made of the file's name.")
    private String name = "";

    @Option(
            names = "--url",
            paramLabel = "URL",
            split = ",",
            description = {
                "Where the same file can be had over HTTP(S) by byte range. Workers fetch from there, so",
                "this command exits at once, unless --stay is given."
            })
    private List<String> urls = List.of();

    @Option(
            names = "--min-stages",
            paramLabel = "N",
            defaultValue = "0",
            description = "Cut the model into at least N parts. Default 0: as few as fit.")
    private int minStages;

    @Option(names = "--stay", description = "Go on serving the file until Ctrl-C.")
    private boolean stay;

    @Mixin private ListenOptions listen = new ListenOptions();

    @Override
    public Integer call() throws InterruptedException {
        Transport transport = transport();
        expose.check(List.of(listen.at()), transport.tls().isPresent());
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new CommandFailure(
                    ExitCode.USAGE, "%s is no file that can be read.".formatted(file));
        }
        boolean serve = urls.isEmpty() || stay;
        try (Lifetime lifetime = new Lifetime()) {
            InferenceClient client = lifetime.add(pool.client());
            client.models(); // says at once when no coordinator answers
            Publication published = lifetime.add(publish(serve, transport));
            note(
                    "%s as %s"
                            .formatted(
                                    published.alreadyPublished()
                                            ? "Published already"
                                            : "Published",
                                    published.modelId()));
            if (serve) {
                ModelWatch.untilServed(pool.addresses(), pool.transport(), published.modelId());
            }
            if (stay) {
                note("Serving %s until Ctrl-C.".formatted(file));
                lifetime.await();
            }
            out().println(published.modelId());
            out().flush();
        }
        return ExitCode.OK;
    }

    /** Coordinators that know their publishers let only those publish. */
    private Transport transport() {
        if (!pool.encrypted()) {
            return Transport.OPEN;
        }
        Membership own = Membership.in(data.place("client"));
        if (!own.present()) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "Publishing takes a certificate of the co-operative: ask its operator for a token for a client, and join with 'sahkar identity join --join FILE --id NAME'.");
        }
        return own.transport();
    }

    private Publication publish(boolean serve, Transport transport) throws InterruptedException {
        List<String> coordinators =
                pool.addresses().stream().map(CoordinatorAddress::toString).toList();
        PublishOptions options =
                PublishOptions.local(coordinators)
                        .withName(name)
                        .withMinStages(minStages)
                        .withSources(urls, serve)
                        .withBind(listen.at().socket(), listen.advertised())
                        .with(transport);
        try (Progress bar = Progress.ofBytes("Reading " + file.getFileName(), size())) {
            return Publisher.publish(file, options, bar::at);
        } catch (StoreException e) {
            throw new CommandFailure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
    }

    private long size() {
        try {
            long size = Files.size(file);
            note("%s, %s".formatted(file, Amounts.bytes(size)));
            return size;
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "%s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }
}
