package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.deploy.demo.Distribution;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo as a person at a terminal meets it: {@code script} gives it a terminal of its own. */
class TerminalIT {
    private static final Path SCRIPT = Path.of("/usr/bin/script");
    private static final int END_SECONDS = 30;
    private static final int CTRL_C = 3;

    private static final String PROMPT = "\\[\\?2004h";

    @TempDir private Path scratch = Path.of("");

    @Test
    void aConversationIsLedStoppedAndLeft() throws Exception {
        try (Typed demo = new Typed()) {
            demo.awaitPrompt(1);
            demo.type("Tell me a story.\r");
            demo.awaitText("Once upon");
            demo.press(CTRL_C);
            demo.awaitText("[stopped]");
            demo.awaitPrompt(2);
            demo.type("/system\r");
            demo.awaitText("A new conversation.");
            demo.awaitPrompt(3);
            demo.type("Who are you?\r");
            demo.awaitText("Sahkar Tiny");
            demo.awaitPrompt(4);
            demo.type("/quit\r");
            assertThat(demo.exitCode()).isZero();
            demo.assertNothingLeft();
        }
    }

    @Test
    void ctrlCTwiceAtThePromptEndsEverything() throws Exception {
        try (Typed demo = new Typed()) {
            demo.awaitPrompt(1);
            demo.press(CTRL_C);
            demo.awaitText("Ctrl-C once more leaves");
            demo.awaitPrompt(2);
            demo.type("/model nobody\r");
            demo.awaitText("There is no model nobody");
            demo.awaitPrompt(3);
            demo.press(CTRL_C);
            demo.awaitPrompt(4);
            demo.press(CTRL_C);
            assertThat(demo.exitCode()).isEqualTo(130);
            demo.assertNothingLeft();
        }
    }

    /** {@code sahkar demo} with somebody typing. */
    private final class Typed implements AutoCloseable {
        private final Distribution sahkar = new Distribution(scratch);
        private final Path screen = scratch.resolve("screen.txt");
        private final Process process;
        private final OutputStream keys;

        Typed() throws IOException {
            assumeThat(SCRIPT).exists();
            ProcessBuilder demo = sahkar.command(List.of("demo"));
            // A shell that stays in between answers for a Ctrl-C that the demo has already handled.
            String command = "exec " + String.join(" ", demo.command());
            demo.command(SCRIPT.toString(), "-q", "-e", "-c", command, "/dev/null");
            demo.environment().put("TERM", "xterm");
            demo.environment().put("SHELL", "/bin/sh");
            process = demo.redirectErrorStream(true).redirectOutput(screen.toFile()).start();
            keys = process.getOutputStream();
        }

        void type(String text) throws IOException {
            keys.write(text.getBytes(StandardCharsets.UTF_8));
            keys.flush();
        }

        void press(int key) throws IOException {
            keys.write(key);
            keys.flush();
        }

        void awaitText(String text) {
            await(text).atMost(TestPool.SOON).until(() -> shown().contains(text));
        }

        /** What is typed before a line is read may be lost; each prompt begins with a code. */
        void awaitPrompt(int which) {
            await("prompt " + which)
                    .atMost(TestPool.SOON)
                    .until(() -> shown().split(PROMPT, -1).length > which);
        }

        private String shown() throws IOException {
            return Files.readString(screen, StandardCharsets.ISO_8859_1);
        }

        int exitCode() throws Exception {
            assertThat(process.waitFor(END_SECONDS, TimeUnit.SECONDS)).as(shown()).isTrue();
            return process.exitValue();
        }

        void assertNothingLeft() {
            await().atMost(TestPool.SOON).until(() -> sahkar.workers().isEmpty());
        }

        @Override
        public void close() {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }
}
