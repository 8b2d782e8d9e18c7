package coop.sahkar.coordinator.crash;

import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.coordinator.Restore;
import coop.sahkar.coordinator.crash.Stepwise.Remains;
import coop.sahkar.coordinator.log.PoolBackup;
import coop.sahkar.coordinator.raft.LogLife;
import coop.sahkar.coordinator.raft.RatisLog;
import coop.sahkar.coordinator.state.LogUnavailableException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever a coordinator does with files (its first start, log, snapshots, purged segments,
 * restore, backup), after a crash at any of its steps it comes back with all that was acknowledged.
 * Where bytes are missing or wrong, it has what comes before them, or says so and touches nothing.
 */
class CrashIT {
    private static final int FEWEST_STEPS = 4;
    private static final int WORKERS = 3;
    private static final int CUTS = 8;

    @TempDir private Path scratch = Path.of("");

    @BeforeEach
    void needsLinux() {
        assumeTrue(
                Stepwise.obstacle().isEmpty(),
                () -> "NOT TESTED: crashes at each step: " + Stepwise.obstacle().orElseThrow());
    }

    @Test
    void aLogComesBackWholeFromEveryStepOfItsLife() throws Exception {
        List<Remains> all = crashes(LogLife.class);

        assertThat(all).extracting(Remains::before).contains("rename", "truncate", "unlink");
        assertThat(Aftermath.failures(all, this::logIsWhole)).isEmpty();
    }

    private void logIsWhole(Remains remains) throws Exception {
        int known;
        try (RatisLog log = LogLife.open(remains.folder())) {
            known = log.state().workers().size();
            assertThat(log.state().workers().keySet()).isEqualTo(names(known));
            assertThat(known).isBetween(remains.acknowledged(), remains.attempted());
            LogLife.register(log, known + 1);
        }
        try (RatisLog log = LogLife.open(remains.folder())) {
            assertThat(log.state().workers()).hasSize(known + 1);
        }
    }

    private static Set<String> names(int workers) {
        return new TreeSet<>(IntStream.rangeClosed(1, workers).mapToObj(LogLife::name).toList());
    }

    @Test
    void aCoordinatorStartsAgainFromEveryStepOfItsFirstStart() throws Exception {
        List<Remains> all = crashes(CoordinatorLives.Starts.class);

        assertThat(Aftermath.failures(all, CrashIT::startsAgain)).isEmpty();
    }

    private static void startsAgain(Remains remains) {
        try (Coordinator coordinator = CoordinatorLives.start(remains.folder())) {
            List<String> keyed = CoordinatorLives.keyed(coordinator);
            assertThat(keyed).hasSizeBetween(remains.acknowledged(), remains.attempted());
            CoordinatorLives.makeKey(coordinator, keyed.size() + 1);
            assertThat(CoordinatorLives.keyed(coordinator)).hasSize(keyed.size() + 1);
        }
    }

    @Test
    void aRestoredPoolIsThereWholeOrNotAtAll() throws Exception {
        List<Remains> all = crashes(CoordinatorLives.Restores.class);

        assertThat(Aftermath.failures(all, CrashIT::restoredOrRestorable)).isEmpty();
    }

    private static void restoredOrRestorable(Remains remains) {
        boolean again = restored(remains);
        assertThat(again && remains.acknowledged() > 0).isFalse();
        try (Coordinator coordinator = CoordinatorLives.start(remains.folder())) {
            assertThat(coordinator.pool().state().workers().keySet())
                    .isEqualTo(CoordinatorLives.backedUp(2).workers().keySet());
        }
    }

    private static boolean restored(Remains remains) {
        Path target = remains.folder().resolve("data");
        try {
            Restore.into(target, "c1", PoolBackup.write(CoordinatorLives.backedUp(2)));
            return true;
        } catch (CoordinatorException e) {
            assertThat(e).hasMessageContaining("is not empty");
            return false;
        }
    }

    @Test
    void aBackupIsTheOldOneOrTheNewOne() throws Exception {
        List<Remains> all = crashes(CoordinatorLives.Backups.class);

        assertThat(Aftermath.failures(all, CrashIT::backupIsWhole)).isEmpty();
    }

    private static void backupIsWhole(Remains remains) throws Exception {
        Path file = remains.folder().resolve("pool.backup");
        int workers =
                Files.exists(file) ? PoolBackup.read(Files.readAllBytes(file)).workers().size() : 0;
        assertThat(workers).isBetween(remains.acknowledged(), remains.attempted());
    }

    @Test
    void aTornLastSegmentGivesWhatIsWholeOfIt() throws Exception {
        Path killed = killed();
        int bytes = used(Files.readAllBytes(openSegment(killed)));
        int most = 0;
        for (int cut = 1; cut < bytes; cut += Math.max(1, bytes / CUTS)) {
            Path torn = scratch.resolve("torn-" + cut);
            Stepwise.copy(killed, torn);
            try (FileChannel segment = FileChannel.open(openSegment(torn), WRITE)) {
                segment.truncate(bytes - cut);
            }
            try (RatisLog log = LogLife.open(torn)) {
                int known = log.state().workers().size();
                assertThat(log.state().workers().keySet()).isEqualTo(names(known));
                most = Math.max(most, known);
            }
        }
        assertThat(most).isPositive().isLessThanOrEqualTo(WORKERS);
    }

    @Test
    void aDamagedEntryOrSnapshotIsSaidAndNothingIsTouched() throws Exception {
        Path killed = killed();
        Path snapshot;
        try (Stream<Path> files = Files.walk(killed)) {
            snapshot =
                    files.filter(file -> file.getFileName().toString().matches("snapshot[._0-9]+"))
                            .findFirst()
                            .orElseThrow();
        }
        refusesDamaged(killed, snapshot);
        refusesDamaged(killed, openSegment(killed));
        try (RatisLog log = LogLife.open(killed)) {
            assertThat(log.state().workers()).hasSize(WORKERS);
        }
    }

    /** Changes a byte of a file, somewhere in its middle, and back. */
    private static void refusesDamaged(Path folder, Path file) throws Exception {
        byte[] whole = Files.readAllBytes(file);
        byte[] damaged = whole.clone();
        damaged[used(whole) / 2] ^= 0x20;
        Files.write(file, damaged);
        assertThatThrownBy(() -> LogLife.open(folder).close())
                .isInstanceOf(LogUnavailableException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("cannot be opened");
        assertThat(Files.readAllBytes(file)).isEqualTo(damaged);
        Files.write(file, whole);
    }

    /** How much there is before the zeros that a segment is begun with. */
    private static int used(byte[] file) {
        int used = file.length;
        while (file[used - 1] == 0) {
            used--;
        }
        return used;
    }

    /** What a log leaves behind that is killed after some commands. */
    private Path killed() throws Exception {
        Path running = scratch.resolve("running");
        Path copy = scratch.resolve("killed");
        try (RatisLog log = LogLife.open(running)) {
            LogLife.register(log, 1);
        }
        try (RatisLog log = LogLife.open(running)) {
            for (int i = 2; i <= WORKERS; i++) {
                LogLife.register(log, i);
            }
            Stepwise.copy(running, copy);
        }
        return copy;
    }

    private static Path openSegment(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith("log_inprogress"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private List<Remains> crashes(Class<?> program) throws Exception {
        Path folder = Files.createDirectory(scratch.resolve("life"));
        List<Remains> all = new Stepwise(scratch).run(program, folder);
        assertThat(all).hasSizeGreaterThan(FEWEST_STEPS);
        assertThat(all.getLast().acknowledged()).isPositive();
        return all;
    }
}
