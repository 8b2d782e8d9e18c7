package coop.sahkar.deploy.cli;

import coop.sahkar.deploy.bench.GatewayBench;
import coop.sahkar.deploy.bench.GatewayFigures;
import java.io.IOException;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** What {@code sahkar bench --gateway} takes. */
final class GatewayLoad {
    private static final int MOST_CONNECTIONS = 8_000;
    private static final int MOST_TOKENS = 10_000;
    private static final int MOST_PER_SECOND = 1_000;

    @Option(
            names = "--gateway",
            description =
                    "Instead of a chain, put a gateway under load: many streams at once, from a head that makes up its tokens; what a token takes from it to its reader, beside readers that take nothing too, and memory.")
    private boolean wanted;

    @Option(
            names = "--connections",
            paramLabel = "N",
            defaultValue = "1000",
            description = "With --gateway: streams at once. Default: 1000.")
    private int connections;

    @Option(
            names = "--slow",
            paramLabel = "N",
            defaultValue = "50",
            description = "With --gateway: readers beside them that take nothing. Default: 50.")
    private int slow;

    @Option(
            names = "--pace",
            paramLabel = "N",
            defaultValue = "5",
            description = "With --gateway: tokens of each answer in a second. Default: 5.")
    private int perSecond;

    boolean wanted() {
        return wanted;
    }

    /**
     * Measures.
     *
     * @param tokens of each answer
     */
    GatewayFigures measure(int tokens, Consumer<String> steps)
            throws IOException, InterruptedException {
        if (connections < 1
                || slow < 0
                || connections + slow > MOST_CONNECTIONS
                || perSecond < 1
                || perSecond > MOST_PER_SECOND
                || tokens > MOST_TOKENS) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--connections takes 1 or more, with --slow at most %d; --pace 1 to %d; --tokens at most %d."
                            .formatted(MOST_CONNECTIONS, MOST_PER_SECOND, MOST_TOKENS));
        }
        GatewayBench.Plan plan = new GatewayBench.Plan(connections, slow, tokens, perSecond);
        try (GatewayBench bench = new GatewayBench(plan, steps)) {
            return bench.run();
        }
    }
}
