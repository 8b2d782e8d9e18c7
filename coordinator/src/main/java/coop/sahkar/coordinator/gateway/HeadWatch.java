package coop.sahkar.coordinator.gateway;

import java.util.ArrayDeque;

/**
 * Notices that a head has fallen silent. Pure: time is an argument, in milliseconds.
 *
 * <p>A process that was stopped keeps its connections. So after more silence than the head's own
 * pace explains it is asked whether it is there, and it is lost if it does not answer. A head that
 * does may be waiting for a repair: it is left alone, and asked again after twice the time.
 */
public final class HeadWatch {
    /** No silence shorter than this is suspicious. */
    static final long FLOOR_MILLIS = 300;

    /** Before its pace is known, this much is. */
    static final long FIRST_MILLIS = 2_000;

    /** No silence longer than this goes without a question. */
    static final long CEILING_MILLIS = 10_000;

    /** So many times the longest recent pause is silence. */
    static final int SILENT_PAUSES = 6;

    /** Time to answer; doubled with each head that was given up for this session. */
    static final long ANSWER_MILLIS = 400;

    /** Most doublings of it. */
    static final int MOST_DOUBLINGS = 4;

    private static final int PAUSES = 8;

    private final ArrayDeque<Long> pauses = new ArrayDeque<>();
    private boolean asking;
    private int patience;
    private int headsLost;
    private long quietMillis;

    /** Another head has the session. */
    public void begun(long nowMillis) {
        pauses.clear();
        asking = false;
        patience = 0;
        quietMillis = nowMillis;
    }

    /**
     * The head said something.
     *
     * @param pauseMillis how long it was waited for; less than it was silent when the reader was
     *     slow
     */
    public void heard(long pauseMillis, long nowMillis) {
        pauses.addLast(pauseMillis);
        if (pauses.size() > PAUSES) {
            pauses.removeFirst();
        }
        patience = 0;
        quietMillis = nowMillis;
    }

    /**
     * Whether the head is to be asked now.
     *
     * @param waitingSinceMillis since when the reader has waited
     */
    public boolean suspects(long waitingSinceMillis, long nowMillis) {
        long silent = nowMillis - Math.max(waitingSinceMillis, quietMillis);
        if (asking || silent < deadlineMillis()) {
            return false;
        }
        asking = true;
        return true;
    }

    /** Time within which the head must answer. */
    public long answerMillis() {
        return ANSWER_MILLIS << Math.min(headsLost, MOST_DOUBLINGS);
    }

    /** The head answered: it is there. */
    public void answered(long nowMillis) {
        asking = false;
        quietMillis = nowMillis;
        if (deadlineMillis() < CEILING_MILLIS) {
            patience++;
        }
    }

    /** The head did not answer. */
    public void lost() {
        asking = false;
        headsLost++;
    }

    /** Silence that is waited for now. */
    long deadlineMillis() {
        long longest = pauses.stream().mapToLong(Long::longValue).max().orElse(0);
        long learnt =
                pauses.isEmpty() ? FIRST_MILLIS : Math.max(FLOOR_MILLIS, SILENT_PAUSES * longest);
        return Math.min(CEILING_MILLIS, learnt << patience);
    }
}
