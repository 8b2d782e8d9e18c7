package coop.sahkar.worker.engine;

import coop.sahkar.worker.engine.StageMessage.Frame;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The hidden states one stage has sent for one session: consecutive positions {@code [start, end)},
 * the oldest on disk where there is one, the others in memory. Bounded: when memory runs out the
 * oldest go to disk, and when that does the oldest are forgotten.
 *
 * <p>Rows are kept as the next stage has seen them, in the codec of the link they went over: to
 * send them again makes the same bits there, at half the size where the link is F16.
 *
 * <p>While all goes well it only keeps references to frames that were built anyway. Bytes are
 * copied when positions are sent again: decode frames of one position are joined into chunks then,
 * so that a replay costs the receiver as little as a prefill.
 */
final class BoundaryLog {
    private final ArrayDeque<Frame> frames = new ArrayDeque<>();
    private final LogBudget budget;
    private final @Nullable LogFile file;
    private int end;
    private long bytes;
    private boolean rests;

    BoundaryLog(LogBudget budget) {
        this.budget = budget;
        this.file = budget.file();
        budget.join(this);
    }

    /** Keeps a frame that goes out; positions from its first on are forgotten before. */
    void append(Frame frame) {
        truncate(frame.firstPosition());
        frames.addLast(frame);
        end = frame.endPosition();
        count(frame.hidden().remaining());
        budget.settle();
    }

    /** Nothing was sent yet, and what is below {@code position} never will be. */
    void beginAt(int position) {
        if (end != 0) {
            throw new IllegalStateException("a log that has begun at " + start());
        }
        end = position;
    }

    /** Forgets the positions from {@code position} on. */
    void truncate(int position) {
        while (!frames.isEmpty() && frames.getLast().endPosition() > position) {
            Frame last = removed(frames.removeLast());
            if (last.firstPosition() < position) {
                added(frames::addLast, FrameCut.rows(last, last.firstPosition(), position));
            }
        }
        if (file != null && frames.isEmpty()) {
            file.truncate(position);
        }
        end = Math.min(end, position);
    }

    /** The first position kept; equals {@link #end} when none is. */
    int start() {
        if (file != null && !file.empty()) {
            return file.start();
        }
        return frames.isEmpty() ? end : frames.getFirst().firstPosition();
    }

    /** One past the last position sent. */
    int end() {
        return end;
    }

    /** Of what is in memory. */
    long bytes() {
        return bytes;
    }

    /** Whether its session rests: others have more need of the bytes. */
    boolean rests() {
        return rests;
    }

    void rest(boolean nowRests) {
        rests = nowRests;
    }

    /**
     * The positions from {@code position} on, ready to be sent again: all of them, or as many as
     * make {@code mostBytes}, but at least one frame. Only the last frame of all may want a token:
     * the head has those of the positions before.
     *
     * @param position below {@link #end}
     * @param epoch number of the route they are sent on now
     * @param mostRows positions in one frame at most
     * @return empty when that position is kept no more
     */
    List<Frame> from(int position, int epoch, int mostRows, long mostBytes) {
        if (position < start()) {
            return List.of();
        }
        ReplayFrames again = new ReplayFrames(epoch, mostRows, mostBytes, end, wantsLast());
        if (file != null) {
            for (LogPage page : file.from(position)) {
                Frame rows = again.full() ? null : file.read(page, position);
                if (rows == null) {
                    // Full, or lost: what there is until here is sent, what comes behind it is not.
                    return again.done();
                }
                again.add(rows);
            }
        }
        for (Frame frame : frames) {
            if (frame.endPosition() > position) {
                int first = Math.max(position, frame.firstPosition());
                again.add(FrameCut.rows(frame, first, frame.endPosition()));
            }
        }
        return again.done();
    }

    /** Moves a page of the oldest positions out of memory, or drops the oldest frame. */
    void evict() {
        if (file == null) {
            removed(frames.removeFirst());
            return;
        }
        List<Frame> page = oldest(file.pageBytes());
        if (page.isEmpty()) {
            removed(frames.removeFirst()); // not even one row of it fits a page
            file.truncate(0);
        } else {
            file.add(page);
        }
    }

    /** Gives everything back. */
    void close() {
        frames.clear();
        count(-bytes);
        budget.leave(this);
        if (file != null) {
            file.close();
        }
    }

    /** Takes the oldest frames of one codec, the last one cut, that make so many bytes at most. */
    private List<Frame> oldest(int mostBytes) {
        List<Frame> taken = new ArrayList<>();
        int room = mostBytes;
        while (!frames.isEmpty()) {
            Frame next = frames.getFirst();
            int rowBytes = next.hidden().remaining() / next.tokens().length;
            int rows = Math.min(next.tokens().length, room / rowBytes);
            if (rows == 0 || (!taken.isEmpty() && taken.getFirst().codec() != next.codec())) {
                break;
            }
            removed(frames.removeFirst());
            int cut = next.firstPosition() + rows;
            taken.add(FrameCut.rows(next, next.firstPosition(), cut));
            room -= rows * rowBytes;
            if (cut < next.endPosition()) {
                added(frames::addFirst, FrameCut.rows(next, cut, next.endPosition()));
            }
        }
        return taken;
    }

    private Frame removed(Frame frame) {
        count(-frame.hidden().remaining());
        return frame;
    }

    private void added(Consumer<Frame> where, Frame frame) {
        where.accept(frame);
        count(frame.hidden().remaining());
    }

    private void count(long change) {
        bytes += change;
        budget.count(change);
    }

    private boolean wantsLast() {
        if (!frames.isEmpty()) {
            return frames.getLast().wantToken();
        }
        return file != null && !file.empty() && file.wantsToken();
    }
}
