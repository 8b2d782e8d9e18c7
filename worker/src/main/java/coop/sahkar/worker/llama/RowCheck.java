package coop.sahkar.worker.llama;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.engine.StageShape;
import java.lang.foreign.MemorySegment;

/**
 * Checks a batch before llama.cpp sees it: what is wrong here would end the process there, or
 * silently spoil a sequence.
 */
final class RowCheck {
    private static final int ABSOLUTE = 0x7fff_ffff;
    private static final int INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

    private final StageShape shape;
    private final int[] next;
    private final int[] bits;

    RowCheck(StageShape shape) {
        this.shape = shape;
        next = new int[shape.maxSequences()];
        bits = new int[shape.width()];
    }

    /**
     * @param lengths how many positions each sequence holds
     */
    void check(Rows rows, int[] lengths) throws StageException {
        int count = rows.count();
        if (count < 1 || count > shape.maxRows()) {
            throw new StageException(
                    "a batch of %d rows; this stage takes 1 to %d"
                            .formatted(count, shape.maxRows()));
        }
        System.arraycopy(lengths, 0, next, 0, next.length);
        for (int row = 0; row < count; row++) {
            checkRow(rows, row);
        }
        if (!shape.head()) {
            checkHidden(rows);
        }
    }

    private void checkRow(Rows rows, int row) throws StageException {
        int sequence = rows.sequence[row];
        if (sequence < 0 || sequence >= next.length) {
            throw new StageException(
                    "row %d is of sequence %d; this stage has sequences 0 to %d"
                            .formatted(row, sequence, next.length - 1));
        }
        if (rows.position[row] != next[sequence]) {
            throw new StageException(
                    "row %d of sequence %d stands at position %d; position %d comes next"
                            .formatted(row, sequence, rows.position[row], next[sequence]));
        }
        next[sequence]++;
        int token = rows.token[row];
        if (shape.head() && (token < 0 || token >= shape.vocabulary())) {
            throw new StageException(
                    "row %d of sequence %d has token %d; the vocabulary has tokens 0 to %d"
                            .formatted(row, sequence, token, shape.vocabulary() - 1));
        }
    }

    private void checkHidden(Rows rows) throws StageException {
        long rowBytes = (long) shape.width() * Float.BYTES;
        MemorySegment hidden = rows.hidden;
        if (hidden.byteSize() != rows.capacity() * rowBytes) {
            throw new StageException(
                    "the rows' hidden states have room for %d bytes instead of %d rows of %d floats"
                            .formatted(hidden.byteSize(), rows.capacity(), shape.width()));
        }
        for (int row = 0; row < rows.count(); row++) {
            if (largest(hidden, row * rowBytes) >= INFINITY) {
                throw new StageException(
                        "the hidden state of row %d, sequence %d, position %d is not a number"
                                .formatted(row, rows.sequence[row], rows.position[row]));
            }
        }
    }

    /** The largest absolute value, as bits: of floats, the bits of NaN and infinity are largest. */
    private int largest(MemorySegment floats, long offset) {
        MemorySegment.copy(floats, JAVA_INT, offset, bits, 0, bits.length);
        int largest = 0;
        for (int one : bits) {
            largest = Math.max(largest, one & ABSOLUTE);
        }
        return largest;
    }
}
