package coop.sahkar.deploy.cli;

import coop.sahkar.client.GenerationOptions;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How an answer is to be made. */
final class SamplingOptions {
    @Option(
            names = {"-t", "--temperature"},
            paramLabel = "T",
            defaultValue = "0",
            description =
                    "0, the default, gives the likeliest answer every time; 1 varies as the model does.")
    private double temperature;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "1",
            description = "Keep the smallest set of tokens with this probability. Default 1: all.")
    private double topP;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "0",
            description = "Keep the K likeliest tokens. Default 0: all.")
    private int topK;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "The same question with the same seed gives the same answer.")
    private @Nullable Long seed;

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            defaultValue = "0",
            description = "Most tokens of an answer. Default 0: as many as the pool grants.")
    private int maxTokens;

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            description = "End the answer before this text; may be given several times.")
    private List<String> stop = List.of();

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "0",
            description = "Give up after this long. Default 0: never.")
    private int timeoutSeconds;

    GenerationOptions options() {
        GenerationOptions.Builder options =
                GenerationOptions.builder()
                        .temperature(temperature)
                        .topP(topP)
                        .topK(topK)
                        .maxTokens(maxTokens)
                        .stop(stop.toArray(String[]::new));
        if (seed != null) {
            options.seed(seed);
        }
        if (timeoutSeconds > 0) {
            options.timeout(Duration.ofSeconds(timeoutSeconds));
        }
        try {
            return options.build();
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
        }
    }
}
