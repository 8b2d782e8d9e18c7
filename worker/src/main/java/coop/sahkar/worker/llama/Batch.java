package coop.sahkar.worker.llama;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.StageShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A {@code llama_batch} in native memory, filled again for each decode. */
final class Batch {
    private static final long COUNT = ContextCalls.BATCH.byteOffset(groupElement("n_tokens"));
    private static final long HIDDEN = ContextCalls.BATCH.byteOffset(groupElement("embd"));

    private final StageShape shape;
    private final MemorySegment struct;
    private final MemorySegment tokens;
    private final MemorySegment positions;
    private final MemorySegment sequences;
    private final MemorySegment wanted;

    Batch(StageShape shape, Arena arena) {
        this.shape = shape;
        int rows = shape.maxRows();
        tokens = arena.allocate(JAVA_INT, rows);
        positions = arena.allocate(JAVA_INT, rows);
        sequences = arena.allocate(JAVA_INT, rows);
        wanted = arena.allocate(rows);
        MemorySegment sequenceCounts = arena.allocate(JAVA_INT, rows);
        MemorySegment sequenceLists = arena.allocate(ADDRESS, rows);
        for (int row = 0; row < rows; row++) {
            sequenceCounts.setAtIndex(JAVA_INT, row, 1);
            sequenceLists.setAtIndex(
                    ADDRESS, row, sequences.asSlice((long) row * Integer.BYTES, Integer.BYTES));
        }
        struct = arena.allocate(ContextCalls.BATCH);
        point("token", shape.head() ? tokens : MemorySegment.NULL);
        point("pos", positions);
        point("n_seq_id", sequenceCounts);
        point("seq_id", sequenceLists);
        point("logits", wanted);
    }

    private void point(String field, MemorySegment target) {
        struct.set(ADDRESS, ContextCalls.BATCH.byteOffset(groupElement(field)), target);
    }

    /** Takes over rows that were checked; hidden states stay where they are. */
    MemorySegment of(Rows rows) {
        int count = rows.count();
        struct.set(JAVA_INT, COUNT, count);
        MemorySegment.copy(rows.position, 0, positions, JAVA_INT, 0, count);
        MemorySegment.copy(rows.sequence, 0, sequences, JAVA_INT, 0, count);
        if (shape.head()) {
            MemorySegment.copy(rows.token, 0, tokens, JAVA_INT, 0, count);
        } else {
            struct.set(ADDRESS, HIDDEN, rows.hidden);
        }
        for (int row = 0; row < count; row++) {
            // Not the tail: every row's hidden state goes on, so the last block must keep them all.
            boolean wants = !shape.tail() || rows.wantLogits[row];
            wanted.set(JAVA_BYTE, row, (byte) (wants ? 1 : 0));
        }
        return struct;
    }

    /** How many rows of the last batch before this one have logits. */
    int logitsBefore(int row) {
        int count = 0;
        for (int before = 0; before < row; before++) {
            count += wanted.get(JAVA_BYTE, before);
        }
        return count;
    }

    /** Whether {@code row} of the last batch has logits. */
    boolean hasLogits(int row) {
        return row >= 0 && row < struct.get(JAVA_INT, COUNT) && wanted.get(JAVA_BYTE, row) == 1;
    }
}
