package coop.sahkar.worker.engine;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.worker.engine.StageMessage.Frame;
import java.lang.foreign.MemorySegment;

/**
 * One session's part of a batch: consecutive rows, consecutive positions.
 *
 * @param session whose
 * @param row index of the first row in the batch
 * @param firstPosition its position
 * @param tokens the token at each position
 * @param wantToken whether the token after the last is to be chosen
 * @param arrivedNanos when the first row came
 * @param computedMicros time for which the stages before computed the last row
 */
@SuppressWarnings("ArrayRecordComponent")
record Slice(
        StageSession session,
        int row,
        int firstPosition,
        int[] tokens,
        boolean wantToken,
        long arrivedNanos,
        int computedMicros) {

    int count() {
        return tokens.length;
    }

    int endPosition() {
        return firstPosition + tokens.length;
    }

    /** How long its last row was computed, here for so long. */
    int computedMicros(int ownMicros) {
        return (int) Math.min(Integer.MAX_VALUE, (long) computedMicros + ownMicros);
    }

    /** What the batch made of it, as a frame for the next stage. */
    Frame frame(MemorySegment results, int width, int ownMicros) {
        return new Frame(
                session.id(),
                session.epoch(),
                firstPosition,
                tokens,
                wantToken,
                HiddenCodec.F32,
                HiddenStates.write(results, row, count(), width),
                computedMicros(ownMicros));
    }
}
