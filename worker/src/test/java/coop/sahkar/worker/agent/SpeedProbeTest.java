package coop.sahkar.worker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.worker.llama.LlamaLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpeedProbeTest {
    @TempDir Path directory;

    @Test
    void measuresOnceForEachNumberOfThreads() throws Exception {
        LlamaLibrary library = LlamaLibrary.bundled(directory.resolve("llama"));
        long speed = new SpeedProbe(library, 1, directory).bytesPerSecond();
        assertThat(speed).isBetween(10_000_000L, 10_000_000_000_000L);
        assertThat(directory.resolve("speed-probe.gguf")).doesNotExist();
        assertThat(new SpeedProbe(library, 1, directory).bytesPerSecond()).isEqualTo(speed);
        Files.writeString(directory.resolve("speed"), library.release() + " 1 77\n");
        assertThat(new SpeedProbe(library, 1, directory).bytesPerSecond()).isEqualTo(77);
        assertThat(new SpeedProbe(library, 2, directory).bytesPerSecond()).isGreaterThan(77);
    }
}
