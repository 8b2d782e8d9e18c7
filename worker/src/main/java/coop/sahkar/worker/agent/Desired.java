package coop.sahkar.worker.agent;

import java.util.List;

/**
 * Everything the pool wants here.
 *
 * @param generation of the placement that says so
 * @param shards all of them
 */
public record Desired(long generation, List<DesiredShard> shards) {
    /** What a worker that nobody has spoken to yet should hold. */
    public static final Desired NOTHING = new Desired(0, List.of());

    public Desired {
        shards = List.copyOf(shards);
    }

    /** Which of two assignments holds: the newer, and of one generation the one that came last. */
    public Desired or(Desired next) {
        return next.generation < generation ? this : next;
    }
}
