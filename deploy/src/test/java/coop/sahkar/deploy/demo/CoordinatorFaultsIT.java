package coop.sahkar.deploy.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Small campaigns of {@code sahkar faults --coordinators} against real processes. */
class CoordinatorFaultsIT {
    private static final int MOST_MINUTES = 6;

    @TempDir private Path scratch = Path.of("");

    @Test
    void answersAndCommandsOutliveKilledCoordinators() throws Exception {
        JsonNode report = run("--coordinators", "3", "--blows", "2", "--tokens", "60");

        assertThat(report.get("rounds").asInt()).isEqualTo(2);
        assertThat(report.get("leaders_killed").asInt()).isEqualTo(1);
        assertThat(report.get("answers_whole").asInt()).isGreaterThan(20);
        assertThat(report.get("answers_broken").asInt()).isZero();
        assertThat(report.get("answers_torn").asInt()).isZero();
        assertThat(report.get("commands_acknowledged").asInt()).isPositive();
        assertThat(report.get("commands_lost").asInt()).isZero();
    }

    private JsonNode run(String... arguments) throws Exception {
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
