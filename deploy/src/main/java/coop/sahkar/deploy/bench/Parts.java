package coop.sahkar.deploy.bench;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.engine.TokenSampler;
import coop.sahkar.worker.gguf.GgufException;
import coop.sahkar.worker.gguf.GgufFile;
import coop.sahkar.worker.gguf.GgufTensor;
import coop.sahkar.worker.gguf.GgufWriter;
import coop.sahkar.worker.gguf.ManifestBuilder;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.ShardPiece;
import coop.sahkar.worker.gguf.ShardPlan;
import coop.sahkar.worker.llama.LlamaLibrary;
import coop.sahkar.worker.llama.LlamaModel;
import coop.sahkar.worker.llama.LlamaStage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The ceiling of a chain on this machine: the parts that the workers hold, in this process, on a
 * thread for each. They hand the hidden states over in memory and never sleep, so what this loses
 * against the whole model no link and no engine can win back: it is lost because the processors
 * take turns.
 */
final class Parts {
    private final LlamaLibrary library;
    private final int threads;
    private final int positions;
    private final int blockCount;
    private final List<Part> parts;

    /**
     * One part of the model.
     *
     * @param file the shard
     * @param span its blocks
     */
    private record Part(Path file, Span span) {}

    private Parts(
            LlamaLibrary library, int threads, int positions, int blockCount, List<Part> parts) {
        this.library = library;
        this.threads = threads;
        this.positions = positions;
        this.blockCount = blockCount;
        this.parts = parts;
    }

    /**
     * Cuts a model as the workers have it.
     *
     * @param spans in the order of the chain
     * @param folder takes the shards
     */
    static Parts cut(
            LlamaLibrary library, Path model, List<Span> spans, Path folder, BenchPlan plan)
            throws IOException, InterruptedException {
        try (GgufFile file = GgufFile.open(model)) {
            ModelManifest manifest =
                    ManifestBuilder.build(file, ManifestBuilder.nameOf(model), 1, Progress.NONE);
            List<Part> parts = new ArrayList<>();
            for (Span span : spans) {
                Path shard = folder.resolve("part-%d.gguf".formatted(span.first()));
                ShardPlan shardPlan = ShardPlan.of(manifest, span, file.metadata());
                GgufWriter.write(
                        shardPlan.layout(),
                        (index, offset, into) ->
                                copy(file, shardPlan.pieces().get(index), offset, into),
                        shard,
                        Progress.NONE);
                parts.add(new Part(shard, span));
            }
            return new Parts(
                    library, plan.threads(), plan.kvPositions(), manifest.blockCount(), parts);
        }
    }

    private static boolean copy(GgufFile file, ShardPiece piece, long offset, ByteBuffer into)
            throws IOException {
        return switch (piece) {
            case ShardPiece.Zero _ -> false;
            case ShardPiece.Copy(var source, _) -> {
                GgufTensor tensor =
                        file.tensor(source.name())
                                .orElseThrow(() -> new GgufException(source.name() + " is gone"));
                into.put(file.data(tensor).asSlice(offset, into.remaining()).asByteBuffer());
                yield true;
            }
        };
    }

    /** One greedy generation; tokens per second from the first to the last. */
    double decode(int[] prompt, int tokens) throws InterruptedException {
        Relay relay = new Relay(parts.size(), prompt, tokens);
        List<Thread> running = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            int index = i;
            running.add(Thread.ofPlatform().name("part-" + i).start(() -> play(relay, index)));
        }
        for (Thread thread : running) {
            thread.join();
        }
        return relay.tokensPerSecond();
    }

    private void play(Relay relay, int index) {
        Part part = parts.get(index);
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, part.file(), 0);
                LlamaStage stage =
                        model.openStage(
                                part.span(), blockCount, WholeModel.options(threads, positions))) {
            Rows rows = new Rows(arena, WholeModel.CHUNK, model.width());
            boolean tail = part.span().isTail(blockCount);
            try (Sampler sampler = tail ? new Sampler(stage) : null) {
                for (int step = 0; relay.awaits(step, index); step++) {
                    relay.fill(rows, step, index);
                    stage.compute(rows);
                    if (sampler == null) {
                        relay.passOn(stage.hiddenStates());
                    } else {
                        relay.chosen(step, sampler, rows.count() - 1);
                    }
                }
            }
        } catch (StageException | RuntimeException e) {
            relay.fail(e);
        }
    }

    /** Chooses the likeliest token at the tail. */
    private record Sampler(LlamaStage stage, TokenSampler tokens) implements AutoCloseable {
        Sampler(LlamaStage stage) {
            this(stage, stage.sampler(WholeModel.GREEDY));
        }

        int choose(int row, int position, int[] history) {
            return tokens.sample(stage.logits(row), position, history);
        }

        @Override
        public void close() {
            tokens.close();
        }
    }

    /**
     * Whose turn it is, and what is handed over; everything but the turn belongs to whose it is.
     */
    private static final class Relay {
        private final int parts;
        private final int promptTokens;
        private final int chunks;
        private final int[] history;
        private float[] hidden = new float[0];
        private long firstNanos;
        private long lastNanos;
        private final AtomicInteger turn = new AtomicInteger();
        private volatile @Nullable Throwable failure;

        Relay(int parts, int[] prompt, int tokens) {
            this.parts = parts;
            this.promptTokens = prompt.length;
            this.chunks = Math.ceilDiv(prompt.length, WholeModel.CHUNK);
            this.history = Arrays.copyOf(prompt, prompt.length + tokens);
        }

        /** Waits, awake, for a part's turn; false when there is none any more. */
        boolean awaits(int step, int index) {
            if (step == chunks + history.length - promptTokens - 1) {
                return false;
            }
            while (turn.get() != step * parts + index && failure == null) {
                Thread.onSpinWait();
            }
            return failure == null;
        }

        void fill(Rows rows, int step, int index) {
            int first = step < chunks ? step * WholeModel.CHUNK : promptTokens + step - chunks;
            int end = step < chunks ? Math.min(first + WholeModel.CHUNK, promptTokens) : first + 1;
            rows.clear();
            for (int at = first; at < end; at++) {
                rows.add(history[at], at, 0, at == end - 1 && end >= promptTokens);
            }
            if (index > 0) {
                MemorySegment from = MemorySegment.ofArray(hidden);
                MemorySegment.copy(from, 0, rows.hidden, 0, from.byteSize());
            }
        }

        void passOn(MemorySegment results) {
            hidden = results.toArray(ValueLayout.JAVA_FLOAT);
            turn.incrementAndGet();
        }

        void chosen(int step, Sampler sampler, int row) {
            int position = promptTokens + step - chunks + 1;
            if (position >= promptTokens) {
                history[position] = sampler.choose(row, position, history);
                lastNanos = System.nanoTime();
                firstNanos = position == promptTokens ? lastNanos : firstNanos;
            }
            turn.incrementAndGet();
        }

        void fail(Throwable why) {
            failure = why;
        }

        double tokensPerSecond() {
            Throwable why = failure;
            if (why != null) {
                throw new BenchException(
                        "The model's parts cannot be computed here: " + why.getMessage(), why);
            }
            return (history.length - promptTokens - 1) * 1e9 / (lastNanos - firstNanos);
        }
    }
}
