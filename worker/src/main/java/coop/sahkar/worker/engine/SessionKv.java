package coop.sahkar.worker.engine;

import org.jspecify.annotations.Nullable;

/**
 * Where one session's KV is: in a sequence of the stage's cache, or parked outside of it while the
 * session rests. Confined to the engine's thread.
 */
final class SessionKv {
    /** It has no sequence. */
    static final int NONE = -1;

    private final Stage stage;
    private int sequence;
    private @Nullable ParkedKv parked;

    /** In a sequence that is empty. */
    SessionKv(Stage stage, int sequence) {
        this.stage = stage;
        this.sequence = sequence;
    }

    /** The sequence it has in the cache, or {@link #NONE}. */
    int sequence() {
        return sequence;
    }

    /** Whether it is outside the cache. */
    boolean isParked() {
        return parked != null;
    }

    /** What is outside the cache; null while it is in it. */
    @Nullable ParkedKv parked() {
        return parked;
    }

    /** Memory it takes outside the cache. */
    long parkedBytes() {
        return parked == null ? 0 : parked.bytes();
    }

    /**
     * Goes out of the cache, if that takes no more than {@code mostBytes}; its sequence is somebody
     * else's then.
     */
    void park(long mostBytes) {
        parked = stage.park(sequence, mostBytes);
        if (parked != null) {
            sequence = NONE;
        }
    }

    /** Gets a sequence again, which is empty until it is {@link #restore}d. */
    void seat(int emptySequence) {
        sequence = emptySequence;
    }

    /**
     * Comes back into the cache, into the sequence that it was given.
     *
     * @param positions that are wanted of it
     * @return false if there is no room for it; it is lost then
     */
    boolean restore(int positions) {
        ParkedKv kept = parked;
        if (kept == null) {
            return true;
        }
        parked = null;
        try (kept) {
            boolean whole = positions == 0 || stage.unpark(kept, sequence);
            stage.truncate(sequence, positions);
            return whole;
        }
    }

    /** Forgets the positions from {@code position} on. */
    void truncate(int position) {
        if (parked == null) {
            stage.truncate(sequence, position);
        }
    }

    /** Forgets everything, wherever it is. */
    void close() {
        if (parked != null) {
            parked.close();
            parked = null;
        } else {
            stage.truncate(sequence, 0);
        }
    }
}
