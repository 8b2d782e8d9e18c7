package coop.sahkar.coordinator.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.coordinator.crash.Aftermath.Check;
import coop.sahkar.coordinator.crash.Stepwise.Ended;
import coop.sahkar.coordinator.crash.Stepwise.Remains;
import coop.sahkar.coordinator.log.PoolBackup;
import coop.sahkar.coordinator.log.SnapshotCodec;
import coop.sahkar.coordinator.raft.LogLife;
import coop.sahkar.coordinator.raft.RatisLog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever a coordinator does with files (its first start, log, snapshots, purged segments,
 * restore, backup), killed at any step of it, or with a disk that is full from any step on, it
 * comes back with all that was acknowledged. Looks at one moment of each kind; at all of them with
 * {@code -Dsahkar.crash=all}.
 */
class CrashIT {
    /** A life, and what must be true of all that it may leave behind. */
    private record Case(Class<?> life, Check<Remains> check) {}

    private static final List<Case> CASES =
            List.of(
                    new Case(LogLife.class, CrashIT::logIsWhole),
                    new Case(CoordinatorLives.Starts.class, CrashIT::startsAgain),
                    new Case(CoordinatorLives.Restores.class, CrashIT::restoredOrRestorable),
                    new Case(CoordinatorLives.Backups.class, CrashIT::backupIsWhole));

    private static final int FEWEST_STEPS = 4;
    private static final int PROCESSES_AT_ONCE = 4;
    private static final int FULL_DISKS = 2;
    private static final Map<Class<?>, List<Remains>> CRASHES = new ConcurrentHashMap<>();
    private static final Map<Class<?>, List<Future<String>>> KILLED = new ConcurrentHashMap<>();
    private static final Map<Class<?>, List<Future<String>>> FULL = new ConcurrentHashMap<>();

    @TempDir private static Path scratch = Path.of("");

    /** Begins all that is to be looked at: most of it is waiting for logs to open and close. */
    @BeforeAll
    static void live() throws Exception {
        assumeTrue(
                Stepwise.obstacle().isEmpty(),
                () -> "NOT TESTED: crashes at each step: " + Stepwise.obstacle().orElseThrow());
        Aftermath processes = new Aftermath(PROCESSES_AT_ONCE);
        Aftermath starts = new Aftermath(Aftermath.STARTS_AT_ONCE);
        List<Future<String>> lives =
                processes.begin(
                        CASES,
                        one -> CRASHES.put(one.life(), folderOf(one.life(), "").run(one.life())));
        assertThat(Aftermath.failures(lives)).isEmpty();
        for (Case one : CASES) {
            List<Remains> all = CRASHES.getOrDefault(one.life(), List.of());
            KILLED.put(one.life(), starts.begin(Sample.of(all), one.check()));
            FULL.put(
                    one.life(),
                    processes.begin(
                            Sample.growing(all, FULL_DISKS),
                            moment -> afterFullDisk(one, moment.step())));
        }
        processes.close();
        starts.close();
    }

    private static Stepwise folderOf(Class<?> life, String which) throws Exception {
        return new Stepwise(Files.createDirectories(scratch.resolve(life.getSimpleName() + which)));
    }

    /** In a process that either does what it was to do, or says in a sentence why not. */
    private static void afterFullDisk(Case one, int fullFrom) throws Exception {
        Ended ended = folderOf(one.life(), "-full-" + fullFrom).fill(one.life(), fullFrom);
        saysWhyItEnded(ended);
        one.check().of(ended.remains());
    }

    private static void survivesKills(Class<?> life) throws Exception {
        List<Remains> all = CRASHES.getOrDefault(life, List.of());
        assertThat(all).hasSizeGreaterThan(FEWEST_STEPS);
        assertThat(all.getLast().acknowledged()).isPositive();
        allWell(KILLED.getOrDefault(life, List.of()));
    }

    private static void survivesFullDisks(Class<?> life) throws Exception {
        allWell(FULL.getOrDefault(life, List.of()));
    }

    private static void allWell(List<Future<String>> looked) throws Exception {
        assertThat(looked).isNotEmpty();
        assertThat(Aftermath.failures(looked)).as(Sample.seed()).isEmpty();
    }

    private static void saysWhyItEnded(Ended ended) {
        assertThat(ended.exitCode()).as(ended.said()).isIn(0, Ending.SAID);
        if (ended.exitCode() == Ending.SAID) {
            String sentence = ended.said().lines().toList().getLast();
            assertThat(sentence).contains("No space left");
        }
    }

    @Test
    void aLogComesBackWholeFromEveryStepOfItsLife() throws Exception {
        assertThat(CRASHES.getOrDefault(LogLife.class, List.of()))
                .extracting(Remains::before)
                .contains("rename", "truncate", "unlink");
        survivesKills(LogLife.class);
    }

    @Test
    void aLogComesBackWholeFromAFullDisk() throws Exception {
        survivesFullDisks(LogLife.class);
    }

    private static void logIsWhole(Remains remains) throws Exception {
        int known;
        try (RatisLog log = LogLife.open(remains.folder())) {
            known = log.state().workers().size();
            assertThat(known).isBetween(remains.acknowledged(), remains.attempted());
            assertThat(SnapshotCodec.write(log.state()))
                    .isEqualTo(SnapshotCodec.write(LogLife.after(known)));
            LogLife.register(log, known + 1);
        }
        try (RatisLog log = LogLife.open(remains.folder())) {
            assertThat(SnapshotCodec.write(log.state()))
                    .isEqualTo(SnapshotCodec.write(LogLife.after(known + 1)));
        }
    }

    @Test
    void aCoordinatorStartsAgainFromEveryStepOfItsFirstStart() throws Exception {
        survivesKills(CoordinatorLives.Starts.class);
    }

    @Test
    void aCoordinatorStartsAgainOnceThereIsRoom() throws Exception {
        survivesFullDisks(CoordinatorLives.Starts.class);
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
        survivesKills(CoordinatorLives.Restores.class);
    }

    @Test
    void aRestoreOntoAFullDiskCanBeDoneAgain() throws Exception {
        survivesFullDisks(CoordinatorLives.Restores.class);
    }

    private static void restoredOrRestorable(Remains remains) {
        boolean again = restored(remains);
        assertThat(again && remains.acknowledged() > 0).isFalse();
        try (Coordinator coordinator = CoordinatorLives.start(remains.folder())) {
            assertThat(coordinator.pool().state().workers())
                    .isEqualTo(CoordinatorLives.backedUp(2).workers());
        }
    }

    private static boolean restored(Remains remains) {
        try {
            CoordinatorLives.restore(remains.folder());
            return true;
        } catch (CoordinatorException e) {
            assertThat(e).hasMessageContaining("is not empty");
            return false;
        }
    }

    @Test
    void aBackupIsTheOldOneOrTheNewOne() throws Exception {
        survivesKills(CoordinatorLives.Backups.class);
    }

    @Test
    void aBackupOntoAFullDiskLeavesTheOldOne() throws Exception {
        survivesFullDisks(CoordinatorLives.Backups.class);
    }

    private static void backupIsWhole(Remains remains) throws Exception {
        Path file = remains.folder().resolve(CoordinatorLives.BACKUP);
        int workers =
                Files.exists(file) ? PoolBackup.read(Files.readAllBytes(file)).workers().size() : 0;
        assertThat(workers).isBetween(remains.acknowledged(), remains.attempted());
    }
}
