package coop.sahkar.worker.engine;

import coop.sahkar.worker.engine.StageMessage.Frame;
import java.util.ArrayDeque;

/** Frames of one session that wait to be computed, and when they came. */
final class WaitingFrames {
    private final ArrayDeque<Frame> frames = new ArrayDeque<>();
    private final ArrayDeque<Long> arrivals = new ArrayDeque<>();

    /** Adds one that follows. */
    void add(Frame frame, long arrivedNanos) {
        frames.addLast(frame);
        arrivals.addLast(arrivedNanos);
    }

    /** The first; there is one. */
    Frame first() {
        return frames.getFirst();
    }

    long firstArrivedNanos() {
        return arrivals.getFirst();
    }

    void removeFirst() {
        frames.removeFirst();
        arrivals.removeFirst();
    }

    /**
     * Drops what waits from {@code position} on; a frame across it keeps its first part.
     *
     * @param held positions that do not wait any more
     * @return one past the last position that still waits, or else is held
     */
    int drop(int position, int held) {
        while (!frames.isEmpty() && frames.getLast().firstPosition() >= position) {
            frames.removeLast();
            arrivals.removeLast();
        }
        if (frames.isEmpty() || position <= held) {
            frames.clear();
            arrivals.clear();
            return held;
        }
        if (frames.getLast().endPosition() > position) {
            Frame across = frames.removeLast();
            frames.addLast(FrameCut.rows(across, across.firstPosition(), position));
            return position;
        }
        return frames.getLast().endPosition();
    }
}
