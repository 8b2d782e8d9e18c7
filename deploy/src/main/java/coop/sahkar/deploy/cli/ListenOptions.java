package coop.sahkar.deploy.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a command serves workers, and what they are told of it. */
final class ListenOptions {
    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            converter = Endpoint.Converter.class,
            defaultValue = "127.0.0.1:0",
            description =
                    "Where workers connect to this one; port 0 picks one. Default: ${DEFAULT-VALUE}, this machine only.")
    private Endpoint at = new Endpoint("127.0.0.1", 0);

    @Option(
            names = "--advertise",
            paramLabel = "HOST",
            description = "The name workers reach this machine under. Default: that of --listen.")
    private @Nullable String advertised;

    Endpoint at() {
        return at;
    }

    String advertised() {
        return advertised == null ? at.host() : advertised;
    }
}
