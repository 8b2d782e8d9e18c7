package coop.sahkar.coordinator.crash;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorOptions;
import coop.sahkar.coordinator.Restore;
import coop.sahkar.coordinator.WholeFile;
import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.coordinator.log.PoolBackup;
import coop.sahkar.coordinator.raft.LogLife;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.governance.Role;
import coop.sahkar.governance.Tier;
import java.nio.file.Path;
import java.util.List;

/** What coordinators do with files beside their log, as programs for {@link Stepwise}. */
final class CoordinatorLives {
    static final String BACKUP = "pool.backup";
    private static final int START_MILLIS = 60_000;
    private static final Caller OPERATOR =
            new Caller("op", "op", true, Role.OPERATOR, Tier.unlimited("member"));

    private CoordinatorLives() {}

    /** A coordinator starts for the first time, makes a key, and ends. */
    static final class Starts {
        private Starts() {}

        public static void main(String[] args) {
            Ending.of(() -> {
                try (Coordinator coordinator = start(Path.of(args[0]))) {
                    FileSteps.attempt(1);
                    makeKey(coordinator, 1);
                    FileSteps.acknowledge(1);
                }
            });
        }
    }

    /** A pool is restored from the backup of {@link #backedUp}. */
    static final class Restores {
        private Restores() {}

        public static void main(String[] args) {
            Ending.of(() -> {
                restore(Path.of(args[0]));
                FileSteps.acknowledge(1);
            });
        }
    }

    /** A backup is written where there is none, and over it a second one. */
    static final class Backups {
        private Backups() {}

        public static void main(String[] args) {
            Ending.of(() -> {
                for (int number = 1; number <= 2; number++) {
                    FileSteps.attempt(number);
                    WholeFile.write(
                            Path.of(args[0]).resolve(BACKUP), PoolBackup.write(backedUp(number)));
                    FileSteps.acknowledge(number);
                }
            });
        }
    }

    static void restore(Path folder) {
        Restore.into(folder.resolve("data"), "c1", PoolBackup.write(backedUp(2)));
    }

    static Coordinator start(Path folder) {
        return Coordinator.start(
                CoordinatorOptions.single("c1", folder.resolve("data"))
                        .withStartTimeout(START_MILLIS));
    }

    static void makeKey(Coordinator coordinator, int number) {
        coordinator.gate().desk().create(OPERATOR, "account-" + number, "", "", "");
    }

    /** Names of the accounts that have a key. */
    static List<String> keyed(Coordinator coordinator) {
        return coordinator.gate().desk().keys(OPERATOR).stream()
                .map(listed -> listed.account().name())
                .toList();
    }

    /** A pool of so many workers. */
    static PoolState backedUp(int workers) {
        return LogLife.after(workers);
    }
}
