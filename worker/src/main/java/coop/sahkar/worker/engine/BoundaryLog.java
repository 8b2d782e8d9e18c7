package coop.sahkar.worker.engine;

import coop.sahkar.worker.engine.StageMessage.Frame;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * The hidden states one stage has sent for one session: consecutive positions {@code [start, end)},
 * bounded in bytes, the oldest evicted first.
 *
 * <p>While all goes well it only keeps references to frames that were built anyway. Bytes are
 * copied when positions are sent again: decode frames of one position are joined into chunks then,
 * so that a replay costs the receiver as little as a prefill.
 */
final class BoundaryLog {
    private final ArrayDeque<Frame> frames = new ArrayDeque<>();
    private final LogBudget budget;
    private final long capacity;
    private int end;
    private long bytes;
    private boolean rests;

    BoundaryLog(LogBudget budget, long capacity) {
        this.budget = budget;
        this.capacity = capacity;
        budget.join(this);
    }

    /** Keeps a frame that goes out; positions from its first on are forgotten before. */
    void append(Frame frame) {
        truncate(frame.firstPosition());
        frames.addLast(frame);
        end = frame.endPosition();
        count(frame.hidden().remaining());
        while (bytes > capacity) {
            evict();
        }
        budget.settle();
    }

    /** Forgets the positions from {@code position} on. */
    void truncate(int position) {
        while (!frames.isEmpty() && frames.getLast().endPosition() > position) {
            Frame last = frames.removeLast();
            count(-last.hidden().remaining());
            if (last.firstPosition() < position) {
                Frame kept = FrameCut.rows(last, last.firstPosition(), position);
                frames.addLast(kept);
                count(kept.hidden().remaining());
            }
        }
        end = Math.min(end, position);
    }

    /** The first position kept; equals {@link #end} when none is. */
    int start() {
        return frames.isEmpty() ? end : frames.getFirst().firstPosition();
    }

    /** One past the last position sent. */
    int end() {
        return end;
    }

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
     * The positions from {@code position} to the end, ready to be sent again. Only the last frame
     * may want a token: the head has those of the positions before.
     *
     * @param position from {@link #start} to {@link #end}
     * @param epoch number of the route they are sent on now
     * @param mostRows positions in one frame at most
     */
    List<Frame> from(int position, int epoch, int mostRows) {
        List<Frame> again = new ArrayList<>();
        List<Frame> joined = new ArrayList<>();
        int rows = 0;
        for (Frame frame : frames) {
            int first = Math.max(position, frame.firstPosition());
            while (first < frame.endPosition()) {
                int cut = Math.min(frame.endPosition(), first + mostRows - rows);
                joined.add(FrameCut.rows(frame, first, cut));
                rows += cut - first;
                first = cut;
                if (rows == mostRows) {
                    again.add(FrameCut.join(joined, epoch, wants(first)));
                    joined.clear();
                    rows = 0;
                }
            }
        }
        if (!joined.isEmpty()) {
            again.add(FrameCut.join(joined, epoch, wants(end)));
        }
        return again;
    }

    /** Drops the oldest frame. */
    void evict() {
        count(-frames.removeFirst().hidden().remaining());
    }

    /** Gives everything back. */
    void close() {
        frames.clear();
        count(-bytes);
        budget.leave(this);
    }

    private void count(long change) {
        bytes += change;
        budget.count(change);
    }

    private boolean wants(int position) {
        return position == end && frames.getLast().wantToken();
    }
}
