package coop.sahkar.worker.engine;

/**
 * The rule by which a stage decides over a frame: everything is addressed by position.
 *
 * <p>Links keep order, so once a stage has asked its upstream for positions, whatever was under way
 * comes first and is dropped, and what was asked for follows without a gap. Hence a gap is asked
 * for once; only time, not further frames, makes the stage ask again.
 */
final class SessionRules {
    /** Nothing was asked for. */
    static final int NOTHING_ASKED = -1;

    /** What to do with a frame. */
    sealed interface Decision {}

    /** Forget the positions from {@code truncateTo} on, then compute the frame. */
    record Compute(int truncateTo) implements Decision {}

    /** Drop it; ask the upstream to send from {@code position} on. */
    record AskFrom(int position) implements Decision {}

    /** Drop it: what was asked for is on its way. */
    record Wait() implements Decision {}

    /** Drop it: it belongs to another route. */
    record Stale() implements Decision {}

    private SessionRules() {}

    /**
     * Decides over a frame.
     *
     * @param epoch number of the route the stage knows
     * @param end positions the stage holds or has queued
     * @param asked position it has asked for, or {@link #NOTHING_ASKED}
     * @param frameEpoch number of the frame's route
     * @param first the frame's first position
     */
    static Decision onFrame(int epoch, int end, int asked, int frameEpoch, int first) {
        if (frameEpoch != epoch) {
            return new Stale();
        }
        if (asked != NOTHING_ASKED) {
            return first <= asked ? new Compute(first) : new Wait();
        }
        return first <= end ? new Compute(first) : new AskFrom(end);
    }

    /**
     * Whether the upstream is to be asked for {@code position}.
     *
     * @param asked position it was asked for before, or {@link #NOTHING_ASKED}
     * @param waitedNanos time since then
     * @param askAgainNanos time after which an answer no longer counts as under way
     */
    static boolean asks(int position, int asked, long waitedNanos, long askAgainNanos) {
        return asked == NOTHING_ASKED || position < asked || waitedNanos >= askAgainNanos;
    }
}
