package coop.sahkar.deploy.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import coop.sahkar.deploy.network.SmallInternet;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Small campaigns of {@code sahkar faults} against real processes. */
class FaultsIT {
    private static final int MOST_MINUTES = 8;

    /** What a stage that stays computes again: the last position, and what was under way. */
    private static final double FEW_ROWS = 16;

    @TempDir private Path scratch = Path.of("");

    @Test
    void answersOutliveKilledWorkersAndOnlyTheLostStageIsComputedAgain() throws Exception {
        JsonNode report = strike("--blows", "3", "--context", "200", "--tokens", "40");

        assertWhole(report, 3);
        assertThat(report.get("survivor_rows_mean").asDouble()).isLessThan(FEW_ROWS);
        assertThat(report.get("newcomer_rows_mean").asDouble()).isGreaterThan(200);
    }

    @Test
    void answersOutliveLinksThatAreCutOneWay() throws Exception {
        Optional<String> obstacle = SmallInternet.obstacle();
        assumeTrue(obstacle.isEmpty(), () -> "NOT TESTED: cuts of the network: " + obstacle.get());

        JsonNode report = strike("--cut", "--blows", "3", "--tokens", "40");

        assertWhole(report, 3);
        assertThat(report.get("noticed_p50_millis").asDouble()).isPositive();
        assertThat(report.get("targets").get(2).asString()).isEqualTo("tail → head");
    }

    private static void assertWhole(JsonNode report, int answers) {
        assertThat(report.get("struck").asInt()).isEqualTo(answers);
        assertThat(report.get("finished").asInt()).isEqualTo(answers);
        assertThat(report.get("once").asInt()).isEqualTo(answers);
        assertThat(report.get("equal").asInt()).isGreaterThanOrEqualTo(answers - 1);
        assertThat(report.get("strikes")).hasSize(answers);
    }

    private JsonNode strike(String... arguments) throws Exception {
        Path err = scratch.resolve("err.txt");
        Path json = scratch.resolve("report.json");
        List<String> command = new ArrayList<>(List.of("faults", "--json", json.toString()));
        command.addAll(List.of(arguments));
        Distribution sahkar = new Distribution(scratch);
        Process process = sahkar.start(scratch.resolve("out.txt"), err, command);
        boolean over = process.waitFor(MOST_MINUTES, TimeUnit.MINUTES);
        process.destroyForcibly();
        assertThat(over).as(Files.readString(err)).isTrue();
        assertThat(process.exitValue()).as(Files.readString(err)).isZero();
        assertThat(sahkar.workers()).isEmpty();
        return JsonMapper.builder().build().readTree(json.toFile());
    }
}
