package coop.sahkar.worker.engine;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.simulate.ArithmeticStage;
import java.lang.foreign.Arena;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A stage of a model of six blocks that can be made to fail, and tells who closed it. No sequence
 * of it may be touched while a row is waited for.
 */
final class FakeStage extends ArithmeticStage {
    static final int BLOCKS = 6;
    static final int ROWS = 16;

    private final Rows expected = new Rows(Arena.ofAuto(), 1, WIDTH);
    private @Nullable String refusal;
    private boolean underWay;
    long bytesPerPosition = Long.BYTES;
    boolean losesWhatWasParked;
    volatile @Nullable Runnable beforeCompute;
    volatile @Nullable Thread closedBy;

    FakeStage(Span span, int kvCells, int maxSequences) {
        super(shape(span, BLOCKS, kvCells, maxSequences, ROWS));
    }

    /** The tokens that the whole model makes of a prompt. */
    static int[] answer(int[] prompt, long seed, int count) {
        return answer(BLOCKS, prompt, seed, count);
    }

    /** Makes the next batch fail. */
    void refuseNext(String why) {
        refusal = why;
    }

    @Override
    public void compute(Rows rows) throws StageException {
        Runnable before = beforeCompute;
        if (before != null) {
            before.run();
        }
        if (refusal != null) {
            String why = refusal;
            refusal = null;
            throw new StageException(why);
        }
        super.compute(rows);
    }

    /** A slow one would have to tell how long it computed. */
    @Override
    public boolean anticipates() {
        return beforeCompute == null;
    }

    @Override
    public boolean anticipate(int sequence, Predicate<Rows> source, LongConsumer made)
            throws StageException {
        expected.clear();
        expected.add(0, cells(sequence), sequence, shape().tail());
        underWay = true;
        try {
            if (!source.test(expected)) {
                return false;
            }
            compute(expected);
            if (!shape().tail()) {
                made.accept(0);
            }
        } finally {
            underWay = false;
        }
        if (shape().tail()) {
            made.accept(0);
        }
        return true;
    }

    @Override
    public void truncate(int sequence, int position) {
        requireRest();
        super.truncate(sequence, position);
    }

    @Override
    public void copyPrefix(int from, int to, int end) {
        requireRest();
        super.copyPrefix(from, to, end);
    }

    @Override
    public @Nullable ParkedKv park(int sequence, long mostBytes) {
        requireRest();
        return super.park(sequence, mostBytes);
    }

    private void requireRest() {
        if (underWay) {
            throw new AssertionError("a sequence is touched while a row is waited for");
        }
    }

    @Override
    protected long bytesPerPosition() {
        return bytesPerPosition;
    }

    @Override
    public boolean unpark(ParkedKv kept, int sequence) {
        requireRest();
        return !losesWhatWasParked && super.unpark(kept, sequence);
    }

    @Override
    public void close() {
        closedBy = Thread.currentThread();
    }
}
