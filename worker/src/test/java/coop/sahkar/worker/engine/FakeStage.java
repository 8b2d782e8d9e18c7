package coop.sahkar.worker.engine;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.simulate.ArithmeticStage;
import org.jspecify.annotations.Nullable;

/** A stage of a model of six blocks that can be made to fail, and tells who closed it. */
final class FakeStage extends ArithmeticStage {
    static final int BLOCKS = 6;
    static final int ROWS = 16;

    private @Nullable String refusal;
    long bytesPerPosition = Long.BYTES;
    boolean losesWhatWasParked;
    volatile Runnable beforeCompute = () -> {};
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
        beforeCompute.run();
        if (refusal != null) {
            String why = refusal;
            refusal = null;
            throw new StageException(why);
        }
        super.compute(rows);
    }

    @Override
    protected long bytesPerPosition() {
        return bytesPerPosition;
    }

    @Override
    public boolean unpark(ParkedKv kept, int sequence) {
        return !losesWhatWasParked && super.unpark(kept, sequence);
    }

    @Override
    public void close() {
        closedBy = Thread.currentThread();
    }
}
