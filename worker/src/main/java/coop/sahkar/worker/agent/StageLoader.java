package coop.sahkar.worker.agent;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.LoadedStage;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.llama.StageOptions;
import java.nio.file.Path;

/** Loads shards from their files. llama.cpp in a worker, something smaller in tests. */
@FunctionalInterface
public interface StageLoader {
    /** A loaded shard and what must be closed after its stage. */
    interface Loaded extends AutoCloseable {
        LoadedStage stage();

        /** Frees the weights. The stage is closed already; its vocabulary ends with this. */
        @Override
        void close();
    }

    /**
     * Loads a shard. Called on the thread that will own the stage.
     *
     * @param file the shard
     * @param blockCount blocks of the whole model
     * @throws StageException in a sentence, if it cannot be loaded
     */
    Loaded load(Path file, Span span, int blockCount, StageOptions options) throws StageException;
}
