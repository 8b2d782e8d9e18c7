package coop.sahkar.coordinator.limits;

import coop.sahkar.coordinator.state.ReplicatedLog;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Limits of the whole pool: the leader counts, every other coordinator asks it. While there is no
 * leader, or it does not answer, a coordinator falls back to what it has seen itself: then an
 * account may at worst have its limit at each coordinator, until there is a leader again.
 */
public final class PoolAllowances implements Allowances {
    /** The way to the leader. */
    public interface LeaderLink {
        /** What the leader says; empty if none was reached in time. Never fails. */
        CompletableFuture<Optional<Verdict>> take(Wish wish);

        /** Tells the leader, if there is one. Does not wait. */
        void settle(Settlement end);
    }

    private final ReplicatedLog log;
    private final LocalAllowances own;
    private final LeaderLink leader;

    public PoolAllowances(ReplicatedLog log, LocalAllowances own, LeaderLink leader) {
        this.log = log;
        this.own = own;
        this.leader = leader;
    }

    @Override
    public CompletableFuture<Verdict> take(Wish wish) {
        if (log.leads() || log.leaderId().isEmpty()) {
            return own.take(wish);
        }
        return leader.take(wish)
                .thenApply(said ->
                        said.map(verdict -> noted(wish, verdict))
                                .orElseGet(() -> own.decide(wish)));
    }

    private Verdict noted(Wish wish, Verdict verdict) {
        if (verdict instanceof Verdict.Granted) {
            own.note(wish);
        }
        return verdict;
    }

    @Override
    public void settle(Settlement end) {
        own.settle(end);
        if (!log.leads() && !log.leaderId().isEmpty()) {
            leader.settle(end);
        }
    }
}
