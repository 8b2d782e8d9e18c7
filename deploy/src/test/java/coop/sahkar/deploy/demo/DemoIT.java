package coop.sahkar.deploy.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first thing a newcomer does, through real processes. */
class DemoIT {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir private Path scratch = Path.of("");
    private Distribution sahkar = new Distribution(Path.of(""));

    @BeforeEach
    void useScratch() {
        sahkar = new Distribution(scratch);
    }

    @Test
    void answersAQuestionThroughThreeWorkersAndLeavesNothing() throws Exception {
        Distribution.Run run = sahkar.run("demo", "What is a worker?");

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).containsIgnoringCase("worker");
        assertThat(run.out().strip().split(" ")).hasSizeGreaterThan(4);
        assertThat(run.err())
                .contains("through", "worker-1", "worker-2", "worker-3")
                .doesNotContain("WARN", "Exception");
        assertThat(sahkar.workers()).isEmpty();
        assertThat(temporaryFolders()).isEmpty();
    }

    @Test
    void answersOutliveTheirWorkers() throws Exception {
        Distribution.Run run = sahkar.run("demo", "--chaos", "What is a worker?");

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out().lines().distinct()).hasSize(1);
        assertThat(run.out().lines()).hasSize(3);
        assertThat(run.err()).contains("3 answers, 3 workers killed, 3 texts the same");
        assertThat(sahkar.workers()).isEmpty();
    }

    @Test
    void workersEndWithADemoThatIsKilled() throws Exception {
        Path err = scratch.resolve("killed-err.txt");
        Process demo = sahkar.start(scratch.resolve("killed-out.txt"), err, List.of("demo"));
        await().atMost(SOON).until(() -> Files.readString(err).contains("Running until Ctrl-C"));
        assertThat(sahkar.workers()).hasSize(3);

        demo.destroyForcibly().waitFor();

        await().atMost(SOON).until(() -> sahkar.workers().isEmpty());
    }

    @Test
    void workersEndWithADemoThatIsInterrupted() throws Exception {
        Path err = scratch.resolve("stopped-err.txt");
        Process demo = sahkar.start(scratch.resolve("stopped-out.txt"), err, List.of("demo"));
        await().atMost(SOON).until(() -> Files.readString(err).contains("Running until Ctrl-C"));

        demo.destroy();
        demo.waitFor();

        assertThat(sahkar.workers()).isEmpty();
        assertThat(temporaryFolders()).isEmpty();
    }

    private List<Path> temporaryFolders() throws IOException {
        try (Stream<Path> all = Files.list(sahkar.temporary())) {
            return all.filter(path -> path.toString().contains("sahkar-demo-")).toList();
        }
    }
}
