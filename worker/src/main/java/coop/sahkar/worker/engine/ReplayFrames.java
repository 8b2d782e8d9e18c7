package coop.sahkar.worker.engine;

import coop.sahkar.worker.engine.StageMessage.Frame;
import java.util.ArrayList;
import java.util.List;

/** Joins the rows of a log into frames to be sent again, until they make a portion. */
final class ReplayFrames {
    private final int epoch;
    private final int mostRows;
    private final long mostBytes;
    private final int end;
    private final boolean wantsLast;
    private final List<Frame> again = new ArrayList<>();
    private final List<Frame> joined = new ArrayList<>();
    private int rows;
    private long bytes;

    /**
     * @param epoch number of the route they are sent on
     * @param mostRows positions in one frame at most
     * @param mostBytes when that much is joined, no more is added
     * @param end one past the last position of all
     * @param wantsLast whether the frame that ends there wants a token
     */
    ReplayFrames(int epoch, int mostRows, long mostBytes, int end, boolean wantsLast) {
        this.epoch = epoch;
        this.mostRows = mostRows;
        this.mostBytes = mostBytes;
        this.end = end;
        this.wantsLast = wantsLast;
    }

    /** Whether it is a portion. */
    boolean full() {
        return bytes >= mostBytes;
    }

    /** Adds rows that follow; those behind the portion's end are left out. */
    void add(Frame more) {
        if (!joined.isEmpty() && joined.getFirst().codec() != more.codec()) {
            join();
        }
        int first = more.firstPosition();
        while (first < more.endPosition() && !full()) {
            int cut = Math.min(more.endPosition(), first + mostRows - rows);
            Frame part = FrameCut.rows(more, first, cut);
            joined.add(part);
            rows += cut - first;
            bytes += part.hidden().remaining();
            first = cut;
            if (rows == mostRows) {
                join();
            }
        }
    }

    /** The frames. */
    List<Frame> done() {
        if (!joined.isEmpty()) {
            join();
        }
        return again;
    }

    private void join() {
        boolean last = joined.getLast().endPosition() == end;
        again.add(FrameCut.join(joined, epoch, last && wantsLast));
        joined.clear();
        rows = 0;
    }
}
