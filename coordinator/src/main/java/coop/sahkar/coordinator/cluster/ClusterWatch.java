package coop.sahkar.coordinator.cluster;

import coop.sahkar.coordinator.raft.RaftMembers;
import coop.sahkar.coordinator.raft.RatisLog;
import coop.sahkar.coordinator.state.Cluster;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AnnounceCoordinator;
import coop.sahkar.coordinator.state.Command.ForgetCoordinator;
import coop.sahkar.coordinator.state.Command.RaiseLevel;
import coop.sahkar.coordinator.state.CoordinatorRecord;
import coop.sahkar.coordinator.state.LogUnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it that what the replicated state says of coordinators is so: this one announces itself;
 * the leader forgets those that vote no more, and raises the feature level when all know a higher
 * one. Looks again and again, so whatever was interrupted is done the next time. One thread owns
 * it.
 */
public final class ClusterWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterWatch.class);
    private static final int LOOK_MILLIS = 500;
    private static final int CLOSE_MILLIS = 1_000;

    private final String id;
    private final RatisLog log;
    private final Consumer<Boolean> alone;
    private final CompletableFuture<String> removed = new CompletableFuture<>();
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("sahkar-cluster").factory());
    private volatile @Nullable CoordinatorRecord self;
    private @Nullable Boolean wasAlone;
    private boolean wasMember;

    /**
     * @param alone is told whether this coordinator is the only member, whenever that changes
     */
    public ClusterWatch(String id, RatisLog log, Consumer<Boolean> alone) {
        this.id = id;
        this.log = log;
        this.alone = alone;
    }

    /** Begins to look. */
    public void start() {
        var _ =
                thread.scheduleWithFixedDelay(
                        this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** What this coordinator says of itself from now on. */
    public void announce(CoordinatorRecord record) {
        self = record;
        thread.execute(this::look);
    }

    /** Done, with a sentence, when this coordinator was a member and is none any more. */
    public CompletableFuture<String> removed() {
        return removed.copy();
    }

    private void look() {
        try {
            RaftMembers.View view = log.members().view();
            Set<String> members =
                    view.members().stream()
                            .map(RaftMembers.Member::id)
                            .collect(Collectors.toCollection(TreeSet::new));
            noteMembers(members);
            if (members.contains(id) && !view.leaderId().isEmpty()) {
                for (Command due : due(members)) {
                    log.propose(due)
                            .ifPresent(no -> LOG.warn("{} was refused: {}", due, no.message()));
                }
            }
        } catch (LogUnavailableException e) {
            LOG.debug("the coordinators cannot be looked after now", e);
        } catch (RuntimeException e) {
            LOG.error("looking after the coordinators failed and will be tried again", e);
        }
    }

    private void noteMembers(Set<String> members) {
        boolean member = members.contains(id);
        if (wasMember && !member && !members.isEmpty()) {
            removed.complete("coordinator %s was removed from the pool".formatted(id));
        }
        wasMember = wasMember || member;
        Boolean now = members.equals(Set.of(id));
        if (member && !now.equals(wasAlone)) {
            wasAlone = now;
            alone.accept(now);
        }
    }

    private List<Command> due(Set<String> members) {
        List<Command> due = new ArrayList<>();
        Cluster cluster = log.state().cluster();
        CoordinatorRecord record = self;
        if (record != null && !record.equals(cluster.coordinators().get(id))) {
            due.add(new AnnounceCoordinator(record));
        }
        if (log.leads()) {
            cluster.coordinators().keySet().stream()
                    .filter(known -> !members.contains(known))
                    .forEach(gone -> due.add(new ForgetCoordinator(gone)));
            boolean allSaid = cluster.coordinators().keySet().containsAll(members);
            if (allSaid && due.isEmpty() && cluster.knownByAll() > cluster.level()) {
                due.add(new RaiseLevel(cluster.knownByAll()));
            }
        }
        return due;
    }

    /** Lets a proposal that is under way come to its end. */
    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException e) {
            thread.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
