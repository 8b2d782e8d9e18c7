package coop.sahkar.worker.agent;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.LoadedStage;
import coop.sahkar.worker.engine.ParkedKv;
import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.Stage;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.engine.StageShape;
import coop.sahkar.worker.engine.TokenSampler;
import coop.sahkar.worker.engine.Vocabulary;
import coop.sahkar.worker.llama.StageOptions;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Loads nothing, and notes what it was asked to. */
final class IdleLoader implements StageLoader {
    final List<Path> loaded = new CopyOnWriteArrayList<>();
    final AtomicInteger open = new AtomicInteger();
    volatile String refusal = "";

    @Override
    public Loaded load(Path file, Span span, int blockCount, StageOptions options)
            throws StageException {
        loaded.add(file);
        if (!refusal.isEmpty()) {
            throw new StageException(refusal);
        }
        open.incrementAndGet();
        StageShape shape =
                new StageShape(
                        span,
                        blockCount,
                        8,
                        3,
                        options.kvCells(),
                        options.maxSequences(),
                        options.maxRows());
        LoadedStage stage = new LoadedStage(new IdleStage(shape), new ThreeTokens());
        return new Loaded() {
            @Override
            public LoadedStage stage() {
                return stage;
            }

            @Override
            public void close() {
                open.decrementAndGet();
            }
        };
    }

    private record IdleStage(StageShape shape) implements Stage {
        @Override
        public void compute(Rows rows) {}

        @Override
        public MemorySegment hiddenStates() {
            return MemorySegment.NULL;
        }

        @Override
        public MemorySegment logits(int row) {
            return MemorySegment.NULL;
        }

        @Override
        public void truncate(int sequence, int position) {}

        @Override
        public void copyPrefix(int from, int to, int end) {}

        @Override
        public @Nullable ParkedKv park(int sequence, long mostBytes) {
            return null;
        }

        @Override
        public boolean unpark(ParkedKv parked, int sequence) {
            return false;
        }

        @Override
        public String kvFormat() {
            return "idle";
        }

        @Override
        public @Nullable ParkedKv adopt(int positions, List<ByteBuffer> pieces) {
            return null;
        }

        @Override
        public TokenSampler sampler(Sampling sampling) {
            throw new UnsupportedOperationException("an idle stage does not sample");
        }

        @Override
        public void close() {}
    }

    private record ThreeTokens() implements Vocabulary {
        @Override
        public int size() {
            return 3;
        }

        @Override
        public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
            return new int[] {1};
        }

        @Override
        public byte[] piece(int token) {
            return new byte[0];
        }

        @Override
        public boolean endsGeneration(int token) {
            return token == 0;
        }
    }
}
