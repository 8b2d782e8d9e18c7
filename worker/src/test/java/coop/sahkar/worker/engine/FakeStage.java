package coop.sahkar.worker.engine;

import coop.sahkar.proto.Span;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model made of arithmetic. Each block keeps one number per position, mixed from the number
 * before it, the block's input and the position; so a position that is lost, doubled, misplaced or
 * computed from a wrong input changes every token after it. Cutting the blocks into stages changes
 * nothing.
 */
final class FakeStage implements Stage {
    static final int WIDTH = 4;
    static final int VOCABULARY = 61;
    static final int BLOCKS = 6;
    static final int ROWS = 16;

    /** A session with this seed can choose no token. */
    static final long SEED_WITHOUT_CHOICE = -77;

    private static final int PIECE_BITS = 16;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private final StageShape shape;
    private final List<List<long[]>> kv = new ArrayList<>();
    private final MemorySegment hidden;
    private final MemorySegment logits;
    private @Nullable String refusal;
    volatile Runnable beforeCompute = () -> {};
    int openSamplers;
    int computed;
    volatile @Nullable Thread closedBy;

    FakeStage(Span span, int kvCells, int maxSequences) {
        this.shape = new StageShape(span, BLOCKS, WIDTH, VOCABULARY, kvCells, maxSequences, ROWS);
        for (int i = 0; i < maxSequences; i++) {
            kv.add(new ArrayList<>());
        }
        this.hidden = Arena.ofAuto().allocate((long) ROWS * WIDTH * Float.BYTES, 64);
        this.logits = Arena.ofAuto().allocate((long) ROWS * VOCABULARY * Float.BYTES, 64);
    }

    /** The tokens that the whole model makes of a prompt, computed without any engine. */
    static int[] answer(int[] prompt, long seed, int count) {
        FakeStage whole = new FakeStage(new Span(0, BLOCKS), 1 << 16, 1);
        int[] tokens = Arrays.copyOf(prompt, prompt.length + count);
        for (int position = 0; position < tokens.length - 1; position++) {
            long state = whole.step(0, tokens[position], position);
            if (position + 1 >= prompt.length) {
                whole.writeLogits(0, state);
                tokens[position + 1] = choose(whole.logits(0), position + 1, tokens, seed);
            }
        }
        return Arrays.copyOfRange(tokens, prompt.length, tokens.length);
    }

    /** Makes the next batch fail. */
    void refuseNext(String why) {
        refusal = why;
    }

    /** Positions in the KV, over all sequences. */
    int usedCells() {
        return kv.stream().mapToInt(List::size).sum();
    }

    @Override
    public StageShape shape() {
        return shape;
    }

    @Override
    public void compute(Rows rows) throws StageException {
        beforeCompute.run();
        if (refusal != null) {
            String why = refusal;
            refusal = null;
            throw new StageException(why);
        }
        if (rows.count() < 1 || rows.count() > ROWS) {
            throw new AssertionError("a batch of " + rows.count() + " rows");
        }
        for (int row = 0; row < rows.count(); row++) {
            long input = shape.head() ? rows.token[row] : read(rows.hiddenOf(row));
            long output = step(rows.sequence[row], input, rows.position[row]);
            if (shape.tail()) {
                writeLogits(row, output);
            } else {
                write(row, output);
            }
        }
        computed += rows.count();
        if (usedCells() > shape.kvCells()) {
            throw new AssertionError("more positions than the KV has room for");
        }
    }

    @Override
    public MemorySegment hiddenStates() {
        return hidden;
    }

    @Override
    public MemorySegment logits(int row) {
        long bytes = (long) VOCABULARY * Float.BYTES;
        return logits.asSlice(row * bytes, bytes);
    }

    @Override
    public void truncate(int sequence, int position) {
        List<long[]> cells = kv.get(sequence);
        while (cells.size() > position) {
            cells.removeLast();
        }
    }

    @Override
    public void copyPrefix(int from, int to, int end) {
        throw new AssertionError("nobody copies prefixes yet");
    }

    @Override
    public TokenSampler sampler(Sampling sampling) {
        openSamplers++;
        return new TokenSampler() {
            @Override
            public int sample(MemorySegment logits, int position, int[] history) {
                if (sampling.seed() == SEED_WITHOUT_CHOICE) {
                    throw new IllegalStateException("nothing to choose from");
                }
                return choose(logits, position, history, sampling.seed());
            }

            @Override
            public void close() {
                openSamplers--;
            }
        };
    }

    @Override
    public void close() {
        closedBy = Thread.currentThread();
    }

    private long step(int sequence, long input, int position) {
        List<long[]> cells = kv.get(sequence);
        if (cells.size() != position) {
            throw new AssertionError(
                    "position %d comes after %d positions".formatted(position, cells.size()));
        }
        long[] before = position == 0 ? new long[shape.span().length()] : cells.getLast();
        long[] now = new long[before.length];
        long flowing = input;
        for (int block = 0; block < now.length; block++) {
            int number = shape.span().first() + block;
            flowing = mix(mix(before[block] * 31 + flowing) + position * 1009L + number);
            now[block] = flowing;
        }
        cells.add(now);
        return flowing;
    }

    private void write(int row, long state) {
        for (int i = 0; i < WIDTH; i++) {
            long piece = (state >>> (i * PIECE_BITS)) & 0xffff;
            hidden.setAtIndex(FLOAT, (long) row * WIDTH + i, (float) piece);
        }
    }

    private static long read(MemorySegment row) {
        long state = 0;
        for (int i = 0; i < WIDTH; i++) {
            state |= (long) row.getAtIndex(FLOAT, i) << (i * PIECE_BITS);
        }
        return state;
    }

    private void writeLogits(int row, long state) {
        for (int token = 0; token < VOCABULARY; token++) {
            long value = mix(state + token) & 0xffffff;
            logits.setAtIndex(FLOAT, (long) row * VOCABULARY + token, (float) value);
        }
    }

    private static int choose(MemorySegment logits, int position, int[] history, long seed) {
        int best = 0;
        for (int token = 1; token < VOCABULARY; token++) {
            if (logits.getAtIndex(FLOAT, token) > logits.getAtIndex(FLOAT, best)) {
                best = token;
            }
        }
        long mixed = seed * 7919 + position;
        for (int i = 0; i < position; i++) {
            mixed = mixed * 31 + history[i];
        }
        // Token 0 ends a generation; rarely, so that texts have some length.
        long salt = mix(mixed);
        return (salt & 127) == 0 ? 0 : 1 + (int) Math.floorMod(best + salt, VOCABULARY - 1L);
    }

    private static long mix(long value) {
        long x = value + 0x9e3779b97f4a7c15L;
        x = (x ^ (x >>> 30)) * 0xbf58476d1ce4e5b9L;
        x = (x ^ (x >>> 27)) * 0x94d049bb133111ebL;
        return x ^ (x >>> 31);
    }
}
