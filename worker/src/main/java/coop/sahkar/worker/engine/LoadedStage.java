package coop.sahkar.worker.engine;

import org.jspecify.annotations.Nullable;

/**
 * A shard that is ready.
 *
 * @param stage the shard, owned by the thread that loaded it
 * @param vocabulary the model's tokens; needed if the stage is a head, otherwise null
 */
public record LoadedStage(Stage stage, @Nullable Vocabulary vocabulary) {
    public LoadedStage {
        if (stage.shape().head() && vocabulary == null) {
            throw new IllegalArgumentException("a head needs its vocabulary");
        }
    }
}
