package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.proto.tls.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which pool a command speaks to. */
final class PoolOptions {
    private static final String USUAL = "127.0.0.1:7311";

    @Option(
            names = {"-c", "--coordinator"},
            paramLabel = "HOST:PORT",
            split = ",",
            defaultValue = USUAL,
            description = {
                "A coordinator of the pool; several, separated by commas, are tried in turn.",
                "Default: ${DEFAULT-VALUE}, this machine's."
            })
    private List<String> coordinators = List.of();

    @Option(
            names = "--ca",
            paramLabel = "FILE",
            description = {
                "Speak encrypted, and only with coordinators of the co-operative whose certificate (ca.pem) this file holds.",
                "Default: unencrypted, for pools on this machine."
            })
    private @Nullable Path authority;

    /** How coordinators are spoken with. */
    Transport transport() {
        try {
            return authority == null ? Transport.OPEN : Transport.trusting(authority);
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.USAGE, "--ca: " + e.getMessage() + ".", e);
        }
    }

    /**
     * How operators speak with coordinators: with the certificate of this machine's, if it has one
     * and they can read it.
     *
     * @param data its data folder; null for the usual one
     */
    Transport operatorTransport(@Nullable Path data) {
        Membership own = operator(data);
        return own.present() ? own.transport() : transport();
    }

    private static Membership operator(@Nullable Path data) {
        Path base = data == null ? Folders.data(System.getenv()) : data;
        return Membership.in(base.resolve("coordinator").toAbsolutePath());
    }

    /**
     * A client for an operator: of the co-operative of this machine's coordinator, if it has one.
     */
    InferenceClient operatorClient(@Nullable Path data, String key) {
        Membership own = operator(data);
        return client(
                key, authority == null && own.present() ? own.publicCertificate() : authority);
    }

    /** Whether coordinators are spoken with encrypted. */
    boolean encrypted() {
        return authority != null;
    }

    /** Whether no coordinator was named. */
    boolean unnamed() {
        return coordinators.equals(List.of(USUAL));
    }

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
        return client(key, authority);
    }

    private InferenceClient client(String key, @Nullable Path file) {
        InferenceClient.Builder builder =
                InferenceClient.builder()
                        .addresses(addresses().stream().map(CoordinatorAddress::toString).toList());
        try {
            return (file == null ? builder : builder.authority(file)).key(key).build();
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, "--ca or --key: " + e.getMessage() + ".", e);
        }
    }
}
