package coop.sahkar.worker.agent;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.LoadedStage;
import coop.sahkar.worker.engine.Rehearsal;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.engine.Vocabulary;
import coop.sahkar.worker.llama.LlamaLibrary;
import coop.sahkar.worker.llama.LlamaModel;
import coop.sahkar.worker.llama.StageOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Loads shards with llama.cpp. */
final class LlamaLoader implements StageLoader {
    private final LlamaLibrary library;
    private final int gpuLayers;

    LlamaLoader(LlamaLibrary library, int gpuLayers) {
        this.library = library;
        this.gpuLayers = gpuLayers;
    }

    private record Model(LlamaModel model, LoadedStage stage) implements Loaded {
        @Override
        public void close() {
            model.close();
        }
    }

    @Override
    public Loaded load(Path file, Span span, int blockCount, StageOptions options)
            throws StageException {
        LlamaModel model = LlamaModel.load(library, file, gpuLayers);
        boolean kept = false;
        try {
            boolean tokens = span.isHead() || span.isTail(blockCount);
            @Nullable Vocabulary vocabulary = tokens ? model.vocabulary() : null;
            LoadedStage stage =
                    new LoadedStage(model.openStage(span, blockCount, options), vocabulary);
            Rehearsal.of(stage);
            kept = true;
            return new Model(model, stage);
        } finally {
            if (!kept) {
                model.close();
            }
        }
    }
}
