package coop.sahkar.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SahkarTest {
    @TempDir private Path folder = Path.of("");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo",
                "coordinator",
                "worker",
                "publish",
                "models",
                "chat",
                "complete",
                "providers",
                "status",
                "keys",
                "policy",
                "usage",
                "ledger",
                "simulate",
                "version"
            })
    void everyCommandTeaches(String command) {
        Inside.Run result = run(command, "--help");
        assertThat(result.exitCode()).isZero();
        assertThat(result.out()).contains("Usage: sahkar " + command, "Example", "Exit codes:");
        assertThat(result.out().lines()).allMatch(line -> line.length() <= 100);
    }

    @Test
    void nothingToDoIsAUsageError() {
        assertThat(run())
                .matches(r -> r.exitCode() == ExitCode.USAGE && r.err().contains("--help"));
    }

    @Test
    void aMistypedCommandIsAUsageErrorWithAGuess() {
        Inside.Run result = run("modles");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("models").doesNotContain("\tat ");
    }

    @Test
    void nobodyThereHasItsOwnExitCode() throws IOException {
        String address = "127.0.0.1:" + unusedPort();
        for (String command : new String[] {"models", "status"}) {
            Inside.Run result = run(command, "--coordinator", address);
            assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(result.err()).contains(address).hasLineCount(1);
        }
    }

    @Test
    void theCommandLineGoesBeforeTheEnvironmentAndThatBeforeTheFile() throws IOException {
        String file = "127.0.0.1:" + unusedPort();
        String environment = "127.0.0.1:" + unusedPort();
        String flag = "127.0.0.1:" + unusedPort();
        Path settings = Files.writeString(folder.resolve("s.properties"), "coordinator=" + file);
        String config = "--config=" + settings;
        Map<String, String> set = Map.of("SAHKAR_COORDINATOR", environment);

        assertThat(run(Map.of(), "models", config).err()).contains(file);
        assertThat(run(set, "models", config).err()).contains(environment);
        assertThat(run(set, "models", config, "-c", flag).err()).contains(flag);
    }

    @Test
    void aSettingMayBeForOneCommand() throws IOException {
        String all = "127.0.0.1:" + unusedPort();
        String one = "127.0.0.1:" + unusedPort();
        Map<String, String> set =
                Map.of("SAHKAR_COORDINATOR", all, "SAHKAR_STATUS_COORDINATOR", one);
        assertThat(run(set, "status").err()).contains(one);
        assertThat(run(set, "models").err()).contains(all);
    }

    @Test
    void anUnknownSettingIsNamed() throws IOException {
        Path settings = Files.writeString(folder.resolve("s.properties"), "worker.memroy=8G");
        Inside.Run result = run("version", "--config", settings.toString());
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("worker.memroy");
    }

    @Test
    void aMissingSettingsFileIsNamed() {
        Inside.Run result = run("version", "--config", folder.resolve("absent").toString());
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("absent");
    }

    @ParameterizedTest
    @ValueSource(strings = {"coordinator", "worker"})
    void listeningBeyondThisMachineTakesPlainWords(String command) {
        Inside.Run result =
                run(command, "--listen", "0.0.0.0:0", "--data", folder.resolve("d").toString());
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("--expose-without-encryption");
        assertThat(folder.resolve("d")).doesNotExist();
    }

    @Test
    void aFileThatIsNotThereCannotBePublished() {
        Inside.Run result = run("publish", folder.resolve("no.gguf").toString());
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("no.gguf");
    }

    @Test
    void aSimulationIsDrawnFromItsSeed() {
        Inside.Run result = run("simulate", "--sessions", "--seeds", "5");
        assertThat(result.exitCode()).isZero();
        assertThat(result.out()).contains("seed 5", "generations");
        Inside.Run sized = run("simulate", "--sessions", "--workers", "3");
        assertThat(sized.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(sized.err()).contains("--sessions");
    }

    private static Inside.Run run(String... arguments) {
        return run(Map.of(), arguments);
    }

    private static Inside.Run run(Map<String, String> environment, String... arguments) {
        return Inside.run(environment, arguments);
    }

    private static int unusedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
