package coop.sahkar.worker.engine;

import coop.sahkar.worker.engine.StageMessage.Frame;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Consecutive positions that lie together on disk, or are about to. The bytes are kept here until
 * they are written; the engine's thread may read them all that time.
 */
final class LogPage {
    private static final ByteBuffer NO_HIDDEN = ByteBuffer.allocate(0).asReadOnlyBuffer();

    private final Frame rows;
    private final int size;
    private final BitSet wants = new BitSet();
    private final int slot;

    /** Positions from here on were forgotten. The engine's thread only. */
    private int end;

    /** Of the bytes; set before they are given up. */
    private long checksum;

    private volatile @Nullable ByteBuffer waiting;
    private volatile boolean lost;

    /**
     * Makes a page of frames that follow each other.
     *
     * @param slot its place in the file, in pages
     */
    LogPage(List<Frame> frames, int slot) {
        Frame joined = FrameCut.join(frames, 0, false);
        this.slot = slot;
        this.end = joined.endPosition();
        this.size = joined.hidden().remaining();
        this.waiting = joined.hidden();
        this.rows = withHidden(joined, NO_HIDDEN);
        for (Frame frame : frames) {
            wants.set(frame.endPosition() - joined.firstPosition(), frame.wantToken());
        }
    }

    int slot() {
        return slot;
    }

    int firstPosition() {
        return rows.firstPosition();
    }

    int endPosition() {
        return end;
    }

    /** Bytes of its hidden states, on disk too. */
    int size() {
        return size;
    }

    /** Whether a frame that wanted a token ended with the last position. */
    boolean wantsToken() {
        return wants.get(end - firstPosition());
    }

    /** Forgets the positions from {@code position} on, which is behind the first. */
    void truncate(int position) {
        end = Math.min(end, position);
    }

    /** What is not written yet; null when it is, or needs not be any more. */
    @Nullable ByteBuffer waiting() {
        ByteBuffer bytes = waiting;
        return bytes == null ? null : bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The bytes are on disk. */
    void written(long sum) {
        checksum = sum;
        waiting = null;
    }

    /** Nobody needs it any more. */
    void drop() {
        waiting = null;
    }

    /** The disk did not take it, or does not give it back. */
    void lose() {
        lost = true;
        waiting = null;
    }

    boolean lost() {
        return lost;
    }

    /** Whether these are the bytes that were written. */
    boolean matches(ByteBuffer bytes) {
        return checksum(bytes) == checksum;
    }

    /** Its positions from {@code position} on; {@code hidden} are those of the whole page. */
    Frame frame(int position, ByteBuffer hidden) {
        Frame whole = withHidden(rows, hidden);
        return FrameCut.rows(whole, Math.max(position, firstPosition()), end);
    }

    static long checksum(ByteBuffer bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes.duplicate());
        return sum.getValue();
    }

    private static Frame withHidden(Frame frame, ByteBuffer hidden) {
        return new Frame(
                frame.session(),
                frame.epoch(),
                frame.firstPosition(),
                frame.tokens(),
                false,
                frame.codec(),
                hidden);
    }
}
