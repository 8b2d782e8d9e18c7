package coop.sahkar.worker.engine;

/** How an engine fares. */
public enum EngineState {
    /** The shard is being loaded. */
    LOADING,
    /** Sessions may come. */
    SERVING,
    /** Sessions that are here may end; no new ones come. */
    DRAINING,
    /** It was closed and has given everything back. */
    STOPPED,
    /** The shard could not be loaded, or the engine met a fault of ours. */
    FAILED
}
