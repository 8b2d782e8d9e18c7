package coop.sahkar.deploy.network;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Commands that change networks: {@code ip} and {@code iptables}. */
public final class NetworkCommand {
    private static final int SECONDS = 10;

    private NetworkCommand() {}

    /**
     * Runs one; it must succeed.
     *
     * @throws IOException if it cannot be run, fails, or takes longer than ten seconds
     */
    public static void run(String... command) throws IOException {
        run(List.of(command));
    }

    static void run(List<String> command) throws IOException {
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try {
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException(String.join(" ", command) + " failed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
