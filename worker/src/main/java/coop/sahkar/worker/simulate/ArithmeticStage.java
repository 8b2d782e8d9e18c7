package coop.sahkar.worker.simulate;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.ParkedKv;
import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.Stage;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.engine.StageShape;
import coop.sahkar.worker.engine.TokenSampler;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
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
public class ArithmeticStage implements Stage {
    /** Floats of one hidden state. */
    public static final int WIDTH = 4;

    /** Tokens there are; token 0 ends a generation. */
    public static final int VOCABULARY = 61;

    /** A session with this seed can choose no token. */
    public static final long SEED_WITHOUT_CHOICE = -77;

    private static final int PIECE_BITS = 16;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    /** One generation in so many tokens ends by itself. */
    private static final int ENDS_ONE_IN = 128;

    private final StageShape shape;
    private final List<List<long[]>> kv = new ArrayList<>();
    private final MemorySegment hidden;
    private final MemorySegment logits;
    private int openSamplers;
    private int parked;
    private int computed;

    /** A stage with nothing in its KV. */
    public ArithmeticStage(StageShape shape) {
        this.shape = shape;
        for (int i = 0; i < shape.maxSequences(); i++) {
            kv.add(new ArrayList<>());
        }
        long rows = shape.maxRows();
        this.hidden = Arena.ofAuto().allocate(rows * WIDTH * Float.BYTES, 64);
        long logitRows = shape.tail() ? rows : 1;
        this.logits = Arena.ofAuto().allocate(logitRows * VOCABULARY * Float.BYTES, 64);
    }

    /** The shape of a shard of such a model. */
    public static StageShape shape(
            Span span, int blockCount, int kvCells, int maxSequences, int maxRows) {
        return new StageShape(span, blockCount, WIDTH, VOCABULARY, kvCells, maxSequences, maxRows);
    }

    /** The tokens that the whole model makes of a prompt, computed without any engine. */
    public static int[] answer(int blockCount, int[] prompt, long seed, int count) {
        int length = prompt.length + count;
        ArithmeticStage whole =
                new ArithmeticStage(shape(new Span(0, blockCount), blockCount, length, 1, 1));
        int[] tokens = Arrays.copyOf(prompt, length);
        for (int position = 0; position < length - 1; position++) {
            long state = whole.step(0, tokens[position], position);
            if (position + 1 >= prompt.length) {
                whole.writeLogits(0, state);
                tokens[position + 1] = choose(whole.logits(0), position + 1, tokens, seed);
            }
        }
        return Arrays.copyOfRange(tokens, prompt.length, length);
    }

    /** Positions in the KV of one sequence. */
    public int cells(int sequence) {
        return kv.get(sequence).size();
    }

    /** Positions in the KV, over all sequences. */
    public int usedCells() {
        return kv.stream().mapToInt(List::size).sum();
    }

    /** Samplers that were opened and not closed. */
    public int openSamplers() {
        return openSamplers;
    }

    /** Sequences whose KV is kept outside of it. */
    public int parked() {
        return parked;
    }

    /** Rows computed so far. */
    public int computed() {
        return computed;
    }

    @Override
    public StageShape shape() {
        return shape;
    }

    @Override
    public void compute(Rows rows) throws StageException {
        if (rows.count() < 1 || rows.count() > shape.maxRows()) {
            throw new IllegalStateException("a batch of " + rows.count() + " rows");
        }
        for (int row = 0; row < rows.count(); row++) {
            long input = shape.head() ? rows.token[row] : read(rows.hiddenOf(row));
            long output = step(rows.sequence[row], input, rows.position[row]);
            if (!shape.tail()) {
                write(row, output);
            } else if (rows.wantLogits[row]) {
                writeLogits(row, output);
            }
        }
        computed += rows.count();
        if (usedCells() > shape.kvCells()) {
            throw new IllegalStateException("more positions than the KV has room for");
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
        List<long[]> copy = kv.get(to);
        if (!copy.isEmpty()) {
            throw new IllegalStateException("a prefix is copied over positions");
        }
        copy.addAll(kv.get(from).subList(0, end));
    }

    @Override
    public @Nullable ParkedKv park(int sequence, long mostBytes) {
        List<long[]> cells = kv.get(sequence);
        long bytes = cells.size() * Math.max(bytesPerPosition(), stateBytes());
        if (cells.isEmpty() || bytes > mostBytes) {
            return null;
        }
        parked++;
        Parked taken = new Parked(List.copyOf(cells), bytes);
        cells.clear();
        return taken;
    }

    @Override
    public boolean unpark(ParkedKv kept, int sequence) {
        List<long[]> cells = kv.get(sequence);
        if (!cells.isEmpty()) {
            throw new IllegalStateException("KV is put back over positions");
        }
        if (usedCells() + kept.positions() > shape.kvCells()) {
            return false;
        }
        cells.addAll(((Parked) kept).cells);
        return true;
    }

    /** Bytes of one position as it is written. */
    private int stateBytes() {
        return shape.span().length() * Long.BYTES;
    }

    @Override
    public String kvFormat() {
        return "arithmetic";
    }

    @Override
    public @Nullable ParkedKv adopt(int positions, List<ByteBuffer> pieces) {
        long bytes = pieces.stream().mapToLong(ByteBuffer::remaining).sum();
        if (positions < 1 || bytes != positions * Math.max(bytesPerPosition(), stateBytes())) {
            return null;
        }
        ByteBuffer all = ByteBuffer.allocate((int) bytes);
        pieces.forEach(piece -> all.put(piece.duplicate()));
        all.flip();
        List<long[]> cells = new ArrayList<>();
        for (int position = 0; position < positions; position++) {
            long[] cell = new long[shape.span().length()];
            for (int block = 0; block < cell.length; block++) {
                cell[block] = all.getLong();
            }
            cells.add(cell);
        }
        parked++;
        return new Parked(cells, bytes);
    }

    /** Memory that a position takes outside the cache. */
    protected long bytesPerPosition() {
        return (long) shape.span().length() * Long.BYTES;
    }

    private final class Parked implements ParkedKv {
        private final List<long[]> cells;
        private final long bytes;

        Parked(List<long[]> cells, long bytes) {
            this.cells = cells;
            this.bytes = bytes;
        }

        @Override
        public int positions() {
            return cells.size();
        }

        @Override
        public long bytes() {
            return bytes;
        }

        @Override
        public ByteBuffer piece(long offset, int length) {
            ByteBuffer all = ByteBuffer.allocate((int) bytes);
            for (long[] cell : cells) {
                for (long block : cell) {
                    all.putLong(block);
                }
            }
            return all.clear().slice((int) offset, length).asReadOnlyBuffer();
        }

        @Override
        public void close() {
            parked--;
        }
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
        kv.forEach(List::clear);
    }

    private long step(int sequence, long input, int position) {
        List<long[]> cells = kv.get(sequence);
        if (cells.size() != position) {
            throw new IllegalStateException(
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
        return (salt & (ENDS_ONE_IN - 1)) == 0
                ? 0
                : 1 + (int) Math.floorMod(best + salt, VOCABULARY - 1L);
    }

    private static long mix(long value) {
        long x = value + 0x9e3779b97f4a7c15L;
        x = (x ^ (x >>> 30)) * 0xbf58476d1ce4e5b9L;
        x = (x ^ (x >>> 27)) * 0x94d049bb133111ebL;
        return x ^ (x >>> 31);
    }
}
