package coop.sahkar.coordinator;

import coop.sahkar.coordinator.log.LogFormatException;
import coop.sahkar.coordinator.log.PoolBackup;
import coop.sahkar.coordinator.raft.RaftNode;
import coop.sahkar.coordinator.raft.RatisLog;
import coop.sahkar.coordinator.state.Cluster;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LogBrokenException;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.proto.tls.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Makes a coordinator's data directory from a backup: the first of a pool that has all that the old
 * one had but its coordinators. The directory appears whole or not at all.
 */
public final class Restore {
    private static final int START_MILLIS = 30_000;

    private Restore() {}

    /**
     * Restores.
     *
     * @param target where the data directory is to be; absent or empty
     * @param id what the coordinator is to be called
     * @param backup the file that was made of the old pool
     * @throws CoordinatorException in a sentence, when it cannot
     */
    public static void into(Path target, String id, byte[] backup) {
        RaftPlace.checkId(id);
        Path making = target.resolveSibling(target.getFileName() + ".restoring");
        try {
            PoolState state = alone(PoolBackup.read(backup));
            refuseUsed(target);
            delete(making);
            makeOrNothing(making, id, state);
            Files.deleteIfExists(target);
            Files.move(making, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new CoordinatorException(
                    "the pool cannot be restored to %s: %s".formatted(target, e), e);
        } catch (LogBrokenException e) {
            throw new CoordinatorException(
                    "the pool cannot be restored to %s, where nothing can be written (%s): make room on its disk and restore it again"
                            .formatted(target, rootOf(e)),
                    e);
        } catch (LogFormatException | LogUnavailableException e) {
            throw new CoordinatorException(String.valueOf(e.getMessage()), e);
        }
    }

    /** The old coordinators are not those of the new pool. */
    private static PoolState alone(PoolState old) {
        return new PoolState(
                old.policy(),
                old.workers(),
                old.models(),
                old.placement(),
                old.ticketKeys(),
                old.accounts(),
                old.ledger(),
                new Cluster(new TreeMap<>(), old.cluster().level()),
                old.members().without(Role.COORDINATOR),
                old.recent());
    }

    private static void refuseUsed(Path target) throws IOException {
        if (!Files.exists(target)) {
            return;
        }
        try (Stream<Path> files = Files.list(target)) {
            if (files.findAny().isPresent()) {
                throw new CoordinatorException(
                        "%s is not empty: a pool is restored to a new folder".formatted(target));
            }
        }
    }

    private static String rootOf(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }

    /** On a full disk what was begun is not left lying. */
    private static void makeOrNothing(Path making, String id, PoolState state) throws IOException {
        try {
            make(making, id, state);
        } catch (IOException | CoordinatorException | LogUnavailableException e) {
            try {
                delete(making);
            } catch (IOException left) {
                e.addSuppressed(left);
            }
            throw e;
        }
    }

    private static void make(Path making, String id, PoolState state) throws IOException {
        SecureRandom random = new SecureRandom();
        try (DataDirectory directory = DataDirectory.open(making, id, () -> Identity.founder(id))) {
            RaftNode.Address self = new RaftNode.Address(id, "127.0.0.1", RaftPlace.freePort());
            RaftNode node = new RaftNode(directory.identity().groupId(), self, List.of(self), true);
            RatisLog.restore(
                    node,
                    directory.log(),
                    () -> new CommandId(random.nextLong(), random.nextLong()),
                    state,
                    START_MILLIS);
            new Surroundings(self.endpoint(), true).write(making); // it comes back where it was
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path one : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(one);
            }
        }
    }
}
