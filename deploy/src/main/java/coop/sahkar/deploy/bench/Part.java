package coop.sahkar.deploy.bench;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.engine.TokenSampler;
import coop.sahkar.worker.llama.LlamaLibrary;
import coop.sahkar.worker.llama.LlamaModel;
import coop.sahkar.worker.llama.LlamaStage;
import coop.sahkar.worker.llama.StageOptions;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** One part of a model, loaded, on a thread of its own that computes it. */
final class Part implements AutoCloseable {
    private final ExecutorService thread;
    private final Future<Loaded> loaded;

    /** What a part needs; confined to its thread. */
    private static final class Loaded implements AutoCloseable {
        final LlamaStage stage;
        final Rows rows;
        final @Nullable TokenSampler sampler; // of the tail: the likeliest token
        private final LlamaModel model;
        private final Arena arena = Arena.ofConfined();

        Loaded(LlamaLibrary library, Path file, Span span, int blockCount, StageOptions options)
                throws StageException {
            model = LlamaModel.load(library, file, 0);
            stage = model.openStage(span, blockCount, options);
            rows = new Rows(arena, WholeModel.CHUNK, model.width());
            sampler = span.isTail(blockCount) ? stage.sampler(WholeModel.GREEDY) : null;
        }

        @Override
        public void close() {
            if (sampler != null) {
                sampler.close();
            }
            stage.close();
            model.close();
            arena.close();
        }
    }

    /**
     * Begins to load it.
     *
     * @param file the shard
     * @param span its blocks
     * @param blockCount of the model
     */
    Part(LlamaLibrary library, Path file, Span span, int blockCount, StageOptions options) {
        thread =
                Executors.newSingleThreadExecutor(
                        Thread.ofPlatform().name("part-" + span.first()).daemon().factory());
        loaded = thread.submit(() -> new Loaded(library, file, span, blockCount, options));
    }

    /** Plays its part in an answer. */
    void play(Relay relay, int index) {
        var _ = thread.submit(() -> turns(relay, index));
    }

    private void turns(Relay relay, int index) {
        try {
            Loaded part = loaded.get();
            part.stage.truncate(0, relay.first(relay.firstStep()));
            for (int step = relay.firstStep(); relay.goesOn(step); step++) {
                if (relay.decodes(step) && part.stage.anticipates()) {
                    decode(part, relay, step, index);
                } else if (relay.awaits(step, index)) {
                    relay.fill(part.rows, step, index);
                    part.stage.compute(part.rows);
                    passOn(part, relay, step);
                }
            }
        } catch (StageException | ExecutionException | InterruptedException | RuntimeException e) {
            relay.fail(e);
        } finally {
            relay.left();
        }
    }

    /** As the workers do it: the next token is begun before it is there. */
    private static void decode(Loaded part, Relay relay, int step, int index)
            throws StageException {
        var _ =
                part.stage.anticipate(
                        0,
                        row -> relay.awaits(step, index) && relay.fill(row, step, index),
                        _ -> passOn(part, relay, step));
    }

    private static void passOn(Loaded part, Relay relay, int step) {
        if (part.sampler != null) {
            relay.choose(step, part.stage, relay.rows(step) - 1, part.sampler);
        } else {
            relay.passOn(part.stage.hiddenStates());
        }
    }

    @Override
    public void close() {
        var _ =
                thread.submit(() -> {
                    loaded.get().close();
                    return true;
                });
        thread.close();
    }
}
