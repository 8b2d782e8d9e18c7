package coop.sahkar.worker.agent;

import java.util.List;

/**
 * Hears what a worker does, to show it to its donor. Called from several threads; must be quick.
 */
public interface WorkerListener {
    /** Hears nothing. */
    WorkerListener SILENT = new WorkerListener() {};

    /** It listens, and begins to look for its coordinators. */
    default void ready(WorkerSelf self) {}

    /** A coordinator let it in. */
    default void attached(String coordinator, String coordinatorId) {}

    /**
     * A coordinator did not find it at its endpoint: others reach it through that coordinator now.
     *
     * @param why in a sentence
     */
    default void relayed(String coordinator, String why) {}

    /**
     * A coordinator is not reached, or does not let it in; it goes on trying.
     *
     * @param why in a sentence
     */
    default void detached(String coordinator, String why) {}

    /** What it holds has changed. Progress of fetches is read from {@link WorkerNode#shards}. */
    default void shards(List<ShardStatus> shards) {}
}
