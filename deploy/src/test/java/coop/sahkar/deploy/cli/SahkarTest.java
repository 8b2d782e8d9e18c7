package coop.sahkar.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SahkarTest {
    @TempDir private Path folder = Path.of("");

    private record Result(int exitCode, String out, String err) {}

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
        Result result = run(command, "--help");
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
        Result result = run("modles");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("models").doesNotContain("\tat ");
    }

    @Test
    void nobodyThereHasItsOwnExitCode() throws IOException {
        String address = "127.0.0.1:" + unusedPort();
        for (String command : new String[] {"models", "status"}) {
            Result result = run(command, "--coordinator", address);
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
        Result result = run("version", "--config", settings.toString());
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("worker.memroy");
    }

    @Test
    void aMissingSettingsFileIsNamed() {
        Result result = run("version", "--config", folder.resolve("absent").toString());
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("absent");
    }

    @ParameterizedTest
    @ValueSource(strings = {"coordinator", "worker"})
    void listeningBeyondThisMachineTakesPlainWords(String command) {
        Result result =
                run(command, "--listen", "0.0.0.0:0", "--data", folder.resolve("d").toString());
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("--expose-without-encryption");
        assertThat(folder.resolve("d")).doesNotExist();
    }

    @Test
    void aFileThatIsNotThereCannotBePublished() {
        Result result = run("publish", folder.resolve("no.gguf").toString());
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("no.gguf");
    }

    @Test
    void aSimulationIsDrawnFromItsSeed() {
        Result result = run("simulate", "--sessions", "--seeds", "5");
        assertThat(result.exitCode()).isZero();
        assertThat(result.out()).contains("seed 5", "generations");
        Result sized = run("simulate", "--sessions", "--workers", "3");
        assertThat(sized.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(sized.err()).contains("--sessions");
    }

    private static Result run(String... arguments) {
        return run(Map.of(), arguments);
    }

    private static Result run(Map<String, String> environment, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream outBefore = System.out;
        PrintStream errBefore = System.err;
        try {
            System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
            int exitCode = Sahkar.run(arguments, environment);
            return new Result(
                    exitCode,
                    out.toString(StandardCharsets.UTF_8),
                    err.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(outBefore);
            System.setErr(errBefore);
        }
    }

    private static int unusedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
