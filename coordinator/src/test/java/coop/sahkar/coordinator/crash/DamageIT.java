package coop.sahkar.coordinator.crash;

import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.coordinator.log.SnapshotCodec;
import coop.sahkar.coordinator.raft.LogLife;
import coop.sahkar.coordinator.raft.RatisLog;
import coop.sahkar.coordinator.state.LogUnavailableException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A log whose end was never written whole comes back with what comes before; one in which bytes are
 * wrong says so and touches nothing.
 */
class DamageIT {
    private static final int WORKERS = 3;
    private static final int CUTS = 12;

    @TempDir private Path scratch = Path.of("");
    private Path killed = Path.of("");

    /** What a log leaves behind that is killed after some commands, the first in a snapshot. */
    @BeforeEach
    void kill() throws Exception {
        Path running = scratch.resolve("running");
        killed = scratch.resolve("killed");
        try (RatisLog log = LogLife.open(running)) {
            LogLife.register(log, 1);
        }
        try (RatisLog log = LogLife.open(running)) {
            for (int i = 2; i <= WORKERS; i++) {
                LogLife.register(log, i);
            }
            Stepwise.copy(running, killed);
        }
    }

    @Test
    void aTornLastSegmentGivesWhatIsWholeOfIt() throws Exception {
        int bytes = used(Files.readAllBytes(segment(killed)));
        List<Integer> kept =
                IntStream.rangeClosed(0, CUTS).mapToObj(i -> (bytes - 1) * i / CUTS).toList();
        allWell(kept, this::opensTorn);
    }

    private void opensTorn(int kept) throws Exception {
        Path torn = scratch.resolve("torn-" + kept);
        Stepwise.copy(killed, torn);
        try (FileChannel file = FileChannel.open(segment(torn), WRITE)) {
            file.truncate(kept);
        }
        try (RatisLog log = LogLife.open(torn)) {
            int known = log.state().workers().size();
            assertThat(known).isBetween(1, WORKERS);
            assertThat(SnapshotCodec.write(log.state()))
                    .isEqualTo(SnapshotCodec.write(LogLife.after(known)));
            LogLife.register(log, known + 1);
        }
    }

    @Test
    void aDamagedEntryOrSnapshotIsSaidAndNothingIsTouched() throws Exception {
        Path snapshot = file(killed, "snapshot[._0-9]+");
        allWell(List.of(snapshot, segment(killed)), this::refusesDamaged);
    }

    private static <T> void allWell(List<T> all, Aftermath.Check<T> check) throws Exception {
        try (Aftermath starts = new Aftermath(Aftermath.STARTS_AT_ONCE)) {
            assertThat(Aftermath.failures(starts.begin(all, check))).isEmpty();
        }
    }

    /** Changes a bit somewhere in the middle of a file. */
    private void refusesDamaged(Path file) throws Exception {
        Path copy = scratch.resolve("damaged-" + file.getFileName());
        Stepwise.copy(killed, copy);
        Path bad = copy.resolve(killed.relativize(file).toString());
        byte[] damaged = Files.readAllBytes(bad);
        damaged[used(damaged) / 2] ^= 0x20;
        Files.write(bad, damaged);
        assertThatThrownBy(() -> LogLife.open(copy).close())
                .isInstanceOf(LogUnavailableException.class)
                .hasMessageContaining(copy.toString())
                .hasMessageContaining("cannot be opened")
                .hasMessageContaining("put back a copy");
        assertThat(Files.readAllBytes(bad)).isEqualTo(damaged);
        Files.copy(file, bad, StandardCopyOption.REPLACE_EXISTING);
        try (RatisLog log = LogLife.open(copy)) {
            assertThat(log.state().workers()).hasSize(WORKERS);
        }
    }

    /** How much there is before the zeros that a segment is begun with. */
    private static int used(byte[] file) {
        int used = file.length;
        while (file[used - 1] == 0) {
            used--;
        }
        return used;
    }

    private static Path segment(Path folder) throws IOException {
        return file(folder, "log_inprogress.*");
    }

    private static Path file(Path folder, String name) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.getFileName().toString().matches(name))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
