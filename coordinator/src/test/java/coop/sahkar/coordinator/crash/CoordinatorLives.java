package coop.sahkar.coordinator.crash;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorOptions;
import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.Restore;
import coop.sahkar.coordinator.WholeFile;
import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.coordinator.log.PoolBackup;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LoggedCommand;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Transition;
import coop.sahkar.governance.Role;
import coop.sahkar.governance.Tier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What coordinators do with files beside their log, as programs for {@link Stepwise}. */
final class CoordinatorLives {
    private static final int START_MILLIS = 60_000;
    private static final Caller OPERATOR =
            new Caller("op", "op", true, Role.OPERATOR, Tier.unlimited("member"));

    private CoordinatorLives() {}

    /** A coordinator starts for the first time, makes a key, and ends. */
    static final class Starts {
        private Starts() {}

        public static void main(String[] args) {
            Path folder = Path.of(args[0]);
            FileSteps.arm();
            try (Coordinator coordinator = start(folder)) {
                FileSteps.attempt(1);
                makeKey(coordinator, 1);
                FileSteps.acknowledge(1);
            }
            FileSteps.step("end");
            FileSteps.disarm();
        }
    }

    /** A pool is restored from the backup of {@link #backedUp}. */
    static final class Restores {
        private Restores() {}

        public static void main(String[] args) {
            FileSteps.arm();
            Restore.into(Path.of(args[0]).resolve("data"), "c1", PoolBackup.write(backedUp(2)));
            FileSteps.acknowledge(1);
            FileSteps.step("end");
            FileSteps.disarm();
        }
    }

    /** A backup is written where there is none, and over it a second one. */
    static final class Backups {
        private Backups() {}

        public static void main(String[] args) throws IOException {
            Path file = Path.of(args[0]).resolve("pool.backup");
            FileSteps.arm();
            for (int number = 1; number <= 2; number++) {
                FileSteps.attempt(number);
                WholeFile.write(file, PoolBackup.write(backedUp(number)));
                FileSteps.acknowledge(number);
            }
            FileSteps.step("end");
            FileSteps.disarm();
        }
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
        PoolState state = PoolState.EMPTY;
        for (int i = 1; i <= workers; i++) {
            var register = new RegisterWorker(Fixtures.worker("w" + i, 1 << 30, 1));
            LoggedCommand logged = new LoggedCommand(new CommandId(7, i), register);
            state = Transition.apply(state, logged).state();
        }
        return state;
    }
}
