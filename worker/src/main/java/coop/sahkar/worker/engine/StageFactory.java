package coop.sahkar.worker.engine;

/** Loads a shard. Called once, on the thread that will own it. */
@FunctionalInterface
public interface StageFactory {
    /**
     * Loads the shard.
     *
     * @throws StageException in a sentence, if it cannot be loaded
     */
    LoadedStage open() throws StageException;
}
