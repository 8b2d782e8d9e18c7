package coop.sahkar.worker.agent;

import coop.sahkar.worker.store.ShardKey;

/**
 * A shard on this worker, as it is.
 *
 * @param key model and blocks
 * @param kvCells positions its KV cache holds or will hold
 * @param phase how far it is
 * @param memoryBytes memory it takes or will take; 0 while that is not known
 * @param retryAtMillis when a failed one may be tried again
 */
public record ObservedShard(
        ShardKey key, int kvCells, ShardPhase phase, long memoryBytes, long retryAtMillis) {

    /** Whether it takes memory now. */
    boolean inMemory() {
        return switch (phase) {
            case LOADING, LOADED, SERVING, DRAINING, DRAINED -> true;
            case FETCHING, FETCHED, FAILED -> false;
        };
    }
}
