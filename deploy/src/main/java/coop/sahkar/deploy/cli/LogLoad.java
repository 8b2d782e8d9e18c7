package coop.sahkar.deploy.cli;

import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.deploy.bench.BenchException;
import coop.sahkar.deploy.bench.LogBench;
import coop.sahkar.deploy.bench.LogFigures;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code sahkar bench --log} takes. */
final class LogLoad {
    private static final int WORKERS = 10_000;
    private static final int REQUESTS_PER_SECOND = 1_000;
    private static final int MOST_SECONDS = 600;
    private static final int MOST_WRITERS = 1_000;

    @Option(
            names = "--log",
            description =
                    "Instead of a chain, write to a log of three nodes, in one process and on this disk: registrations of workers, full batches of usage, and placements, in a pool of 10,000 workers. First each as fast as it goes, then all as often as that pool and 1,000 requests a second need.")
    private boolean wanted;

    @Option(
            names = "--writers",
            paramLabel = "N",
            defaultValue = "64",
            description = "With --log: registrations under way at once. Default: 64.")
    private int writers;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "15",
            description = "With --log: length of each part. Default: 15.")
    private int seconds;

    boolean wanted() {
        return wanted;
    }

    /** Measures. */
    LogFigures measure(Consumer<String> steps) throws IOException {
        if (writers < 1 || writers > MOST_WRITERS || seconds < 1 || seconds > MOST_SECONDS) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--writers takes 1 to %d, --seconds 1 to %d."
                            .formatted(MOST_WRITERS, MOST_SECONDS));
        }
        Path folder = Files.createTempDirectory("sahkar-log-");
        LogBench.Plan plan = new LogBench.Plan(WORKERS, REQUESTS_PER_SECOND, writers, seconds);
        try (LogBench bench = new LogBench(plan, folder, steps)) {
            return bench.run();
        } catch (LogUnavailableException | BenchException e) {
            throw new CommandFailure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        } finally {
            Files.walkFileTree(folder, new Deleting());
        }
    }

    private static final class Deleting extends SimpleFileVisitor<Path> {
        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes facts) throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
                throws IOException {
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
        }
    }
}
