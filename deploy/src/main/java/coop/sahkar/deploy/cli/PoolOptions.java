package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.client.InferenceClient;
import java.util.List;
import picocli.CommandLine.Option;

/** Which pool a command speaks to. */
final class PoolOptions {
    @Option(
            names = {"-c", "--coordinator"},
            paramLabel = "HOST:PORT",
            split = ",",
            defaultValue = "127.0.0.1:7311",
            description = {
                "A coordinator of the pool; several, separated by commas, are tried in turn.",
                "Default: ${DEFAULT-VALUE}, this machine's."
            })
    private List<String> coordinators = List.of();

    List<CoordinatorAddress> addresses() {
        try {
            return coordinators.stream().map(CoordinatorAddress::parse).distinct().toList();
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, "--coordinator: " + e.getMessage() + ".", e);
        }
    }

    InferenceClient client() {
        return client("");
    }

    /** The same with an API key; empty for none. */
    InferenceClient client(String key) {
        try {
            return InferenceClient.builder()
                    .addresses(addresses().stream().map(CoordinatorAddress::toString).toList())
                    .key(key)
                    .build();
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, "--key: " + e.getMessage() + ".", e);
        }
    }
}
