package coop.sahkar.worker.agent;

/** How far a shard is on this worker. */
public enum ShardPhase {
    /** Its tensors are being fetched and checked. */
    FETCHING,
    /** Its file is complete; it waits for memory, or to be loaded. */
    FETCHED,
    /** llama.cpp is loading it. */
    LOADING,
    /** It is in memory; the ring does not know it yet. */
    LOADED,
    /** It takes sessions. */
    SERVING,
    /** It takes no new sessions; the last ones may end. */
    DRAINING,
    /** Its last session has ended, or waited long enough. */
    DRAINED,
    /** It could not be fetched or loaded, or broke down; it holds no memory. */
    FAILED
}
