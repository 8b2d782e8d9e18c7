package coop.sahkar.worker.llama;

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
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A shard with its KV cache, computed by llama.cpp. The thread that opens it owns it: any other
 * gets {@link WrongThreadException}.
 *
 * <p>A batch always goes through in one pass ({@code n_ubatch = maxRows}), so that a chain of
 * stages and the whole model do the same arithmetic in the same order.
 */
public final class LlamaStage implements Stage {
    /** llama.cpp moves a bounded number of cells each time it compacts. */
    private static final int MAX_COMPACTIONS = 4;

    private final Thread owner = Thread.currentThread();
    private final Arena arena = Arena.ofConfined();
    private final LlamaModel model;
    private final LlamaLibrary library;
    private final MemorySegment context;
    private final StageShape shape;
    private final String format;
    private final Batch batch;
    private final RowCheck check;
    private final LateInput late;
    private final HiddenTap tap;
    private final @Nullable Candidates candidates;

    /** How many positions each sequence holds. */
    private final int[] lengths;

    private LlamaStage(LlamaModel model, Span span, int blockCount, StageOptions options)
            throws StageException {
        this.model = model;
        library = model.library();
        boolean tail = span.isTail(blockCount);
        int vocabulary = span.isHead() || tail ? model.vocabulary().size() : 0;
        long hiddenBytes = (long) options.maxRows() * model.width() * Float.BYTES;
        late = new LateInput(library.contexts(), model, span.isHead(), arena);
        tap =
                tail
                        ? HiddenTap.ofNorm(library.contexts(), late, hiddenBytes, arena)
                        : HiddenTap.ofBlock(
                                library.contexts(), span.length() - 1, late, hiddenBytes, arena);
        context = openContext(model, options, !tail).reinterpret(arena, null);
        shape =
                new StageShape(
                        span,
                        blockCount,
                        model.width(),
                        vocabulary,
                        library.contexts().cells(context),
                        options.maxSequences(),
                        options.maxRows());
        format =
                "llama.cpp %s %s%s"
                        .formatted(
                                library.release(),
                                options.kvType(),
                                options.flashAttention() ? " flash" : "");
        batch = new Batch(shape, arena);
        check = new RowCheck(shape);
        candidates = tail ? new Candidates(vocabulary, arena) : null;
        lengths = new int[options.maxSequences()];
    }

    static LlamaStage open(LlamaModel model, Span span, int blockCount, StageOptions options)
            throws StageException {
        if (model.blocks() != span.length() || span.end() > blockCount) {
            throw new StageException(
                    "%s holds %d blocks, not the blocks %s of %d"
                            .formatted(model.file(), model.blocks(), span, blockCount));
        }
        if (options.maxSequences() > model.library().maxSequences()) {
            throw new StageException(
                    "llama.cpp %s tells at most %d sequences apart, not %d"
                            .formatted(
                                    model.library().release(),
                                    model.library().maxSequences(),
                                    options.maxSequences()));
        }
        return new LlamaStage(model, span, blockCount, options);
    }

    private MemorySegment openContext(LlamaModel model, StageOptions options, boolean hiddenStates)
            throws StageException {
        try {
            return model.openContext(
                    new ContextWish(options, hiddenStates, tap.callback(arena), model.usesGpu()));
        } catch (StageException e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public StageShape shape() {
        return shape;
    }

    /**
     * {@inheritDoc}
     *
     * <p>Here a batch that fails leaves its sequences as they were.
     */
    @Override
    public void compute(Rows rows) throws StageException {
        requireOwner();
        check.check(rows, lengths);
        MemorySegment filled = batch.of(rows);
        long hiddenBytes = (long) tapped(rows) * shape.width() * Float.BYTES;
        int code = decode(filled, hiddenBytes);
        for (int i = 0; i < MAX_COMPACTIONS && mayFitAfterCompaction(code, rows.count()); i++) {
            if (!library.abi().compact(context)) {
                break;
            }
            code = decode(filled, hiddenBytes);
        }
        if (code != 0 || (hiddenBytes > 0 && !tap.taken())) {
            forget(rows);
            throw failure(code, rows.count());
        }
        for (int row = 0; row < rows.count(); row++) {
            lengths[rows.sequence[row]]++;
        }
    }

    @Override
    public boolean anticipates() {
        return late.possible();
    }

    @Override
    public boolean anticipate(int sequence, Predicate<Rows> source, LongConsumer made)
            throws StageException {
        requireOwner();
        requireSequence(sequence);
        Rows row = late.expect(sequence, lengths[sequence], shape.tail());
        MemorySegment filled = batch.of(row);
        tap.arm(
                shape.tail() ? 0 : row.hidden.byteSize(),
                () -> made.accept(System.nanoTime() - late.cameNanos()));
        int code;
        try {
            late.await(() -> source.test(row), () -> admit(row));
            code = library.abi().decodeLate(library.contexts(), context, filled);
        } finally {
            late.settle();
        }
        if (!late.came() || code != 0 || !(shape.tail() || tap.taken())) {
            library.abi().truncate(context, sequence, lengths[sequence]);
            late.rethrow();
            if (late.came()) {
                throw failure(code, 1);
            }
            return false;
        }
        lengths[sequence]++;
        if (tap.failure() != null) {
            throw new IllegalStateException("what a batch made went nowhere", tap.failure());
        }
        if (shape.tail()) {
            made.accept(System.nanoTime() - late.cameNanos());
        }
        return true;
    }

    private void admit(Rows row) throws StageException {
        check.check(row, lengths);
        library.abi().beforeComputing();
    }

    /** How many rows' hidden states are to come out. */
    private int tapped(Rows rows) {
        if (!shape.tail()) {
            return rows.count();
        }
        return rows.wantsNormed() ? batch.logitsBefore(rows.count()) : 0;
    }

    private int decode(MemorySegment filled, long hiddenBytes) {
        tap.arm(hiddenBytes, HiddenTap.NOTHING);
        return library.abi().decode(library.contexts(), context, filled);
    }

    /** Sequences may share cells, so this many free ones are the least there can be. */
    private boolean mayFitAfterCompaction(int code, int rows) {
        return library.abi().meansNoRoom(code)
                && IntStream.of(lengths).sum() + rows <= shape.kvCells();
    }

    /** Brings the sequences of a failed batch back to what they were. */
    private void forget(Rows rows) {
        for (int row = 0; row < rows.count(); row++) {
            int sequence = rows.sequence[row];
            library.abi().truncate(context, sequence, lengths[sequence]);
        }
    }

    private StageException failure(int code, int rows) {
        if (library.abi().meansNoRoom(code)) {
            return new StageException(
                    "the KV cache of %d positions has no room for %d more; release sequences"
                            .formatted(shape.kvCells(), rows));
        }
        if (code != 0) {
            return new StageException(
                    "llama.cpp refused a batch of %d rows (code %d); its log says why"
                            .formatted(rows, code));
        }
        Throwable cause = tap.failure();
        String message =
                shape.tail()
                        ? "llama.cpp did not hand out what the output norm of "
                                + model.file()
                                + " made; it gives no embeddings"
                        : "llama.cpp did not hand out the hidden states of block "
                                + (shape.span().length() - 1)
                                + " of "
                                + model.file()
                                + "; this architecture cannot be cut into stages";
        return cause == null ? new StageException(message) : new StageException(message, cause);
    }

    @Override
    public MemorySegment hiddenStates() {
        requireOwner();
        if (shape.tail()) {
            throw new IllegalStateException("the tail hands out logits, not hidden states");
        }
        if (!tap.taken()) {
            throw new IllegalStateException("no batch has been computed");
        }
        return tap.hidden();
    }

    @Override
    public MemorySegment normed(int row) {
        requireOwner();
        if (!shape.tail() || !batch.hasLogits(row) || !tap.taken()) {
            throw new IllegalStateException("nobody wanted the embedding of row " + row);
        }
        long bytes = (long) shape.width() * Float.BYTES;
        return tap.hidden().asSlice(batch.logitsBefore(row) * bytes, bytes);
    }

    @Override
    public MemorySegment logits(int row) {
        requireOwner();
        if (!shape.tail() || !batch.hasLogits(row)) {
            throw new IllegalArgumentException("row " + row + " of the last batch has no logits");
        }
        MemorySegment logits = library.contexts().logits(context, row);
        if (logits.address() == 0) {
            throw new IllegalStateException("llama.cpp has no logits for row " + row);
        }
        long bytes = (long) shape.vocabulary() * Float.BYTES;
        return logits.reinterpret(bytes, arena, null).asReadOnly();
    }

    @Override
    public void truncate(int sequence, int position) {
        requireOwner();
        requireSequence(sequence);
        if (position < 0) {
            throw new IllegalArgumentException("position " + position);
        }
        if (position < lengths[sequence]) {
            library.abi().truncate(context, sequence, position);
            lengths[sequence] = position;
        }
    }

    @Override
    public void copyPrefix(int from, int to, int end) {
        requireOwner();
        requireSequence(from);
        requireSequence(to);
        if (end < 0 || end > lengths[from] || lengths[to] != 0) {
            throw new IllegalArgumentException(
                    "sequence %d has %d positions and sequence %d has %d: cannot share %d"
                            .formatted(from, lengths[from], to, lengths[to], end));
        }
        if (end > 0) {
            library.abi().copy(context, from, to, end);
            lengths[to] = end;
        }
    }

    @Override
    public @Nullable ParkedKv park(int sequence, long mostBytes) {
        requireOwner();
        requireSequence(sequence);
        if (lengths[sequence] == 0) {
            return null;
        }
        long bytes = library.contexts().stateBytes(context, sequence);
        if (bytes <= 0 || bytes > mostBytes) {
            return null;
        }
        LlamaParkedKv parked = new LlamaParkedKv(this, lengths[sequence], bytes);
        if (library.contexts().readState(context, parked.state(), sequence) != bytes) {
            parked.close();
            return null;
        }
        truncate(sequence, 0);
        return parked;
    }

    @Override
    public boolean unpark(ParkedKv kept, int sequence) {
        requireOwner();
        requireSequence(sequence);
        if (!(kept instanceof LlamaParkedKv parked) || parked.stage() != this) {
            throw new IllegalArgumentException("the KV is not from this stage");
        }
        if (lengths[sequence] != 0) {
            throw new IllegalArgumentException("sequence %d is not empty".formatted(sequence));
        }
        if (!restored(parked, sequence)
                && !(library.abi().compact(context) && restored(parked, sequence))) {
            library.abi().truncate(context, sequence, 0);
            return false;
        }
        lengths[sequence] = parked.positions();
        return true;
    }

    @Override
    public String kvFormat() {
        return format;
    }

    @Override
    public @Nullable ParkedKv adopt(int positions, List<ByteBuffer> pieces) {
        requireOwner();
        long bytes = pieces.stream().mapToLong(ByteBuffer::remaining).sum();
        if (positions < 1 || positions > shape.kvCells() || bytes == 0) {
            return null;
        }
        LlamaParkedKv adopted = new LlamaParkedKv(this, positions, bytes);
        long at = 0;
        for (ByteBuffer piece : pieces) {
            MemorySegment from = MemorySegment.ofBuffer(piece);
            MemorySegment.copy(from, 0, adopted.state(), at, from.byteSize());
            at += from.byteSize();
        }
        if (library.abi().isState(adopted.state(), positions)) {
            return adopted;
        }
        adopted.close();
        return null;
    }

    private boolean restored(LlamaParkedKv parked, int sequence) {
        return library.contexts().writeState(context, parked.state(), sequence) == parked.bytes();
    }

    @Override
    public TokenSampler sampler(Sampling sampling) {
        requireOwner();
        if (candidates == null) {
            throw new IllegalStateException("only the tail samples");
        }
        return new LlamaSampler(
                library.samplers(), candidates, model.vocabulary().handle(), sampling);
    }

    private void requireSequence(int sequence) {
        if (late.underWay()) {
            throw new IllegalStateException("a batch is under way: sequences stay as they are");
        }
        if (sequence < 0 || sequence >= lengths.length) {
            throw new IllegalArgumentException(
                    "sequence %d; this stage has 0 to %d".formatted(sequence, lengths.length - 1));
        }
    }

    private void requireOwner() {
        if (Thread.currentThread() != owner) {
            throw new WrongThreadException("the stage belongs to the thread " + owner.getName());
        }
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException("the stage is closed");
        }
    }

    /** Frees the KV cache. A second call does nothing. */
    @Override
    public void close() {
        if (Thread.currentThread() == owner && !arena.scope().isAlive()) {
            return;
        }
        requireOwner();
        library.contexts().free(context);
        arena.close();
        model.contextClosed();
    }
}
