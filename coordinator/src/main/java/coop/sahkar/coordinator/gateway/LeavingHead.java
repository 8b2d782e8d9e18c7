package coop.sahkar.coordinator.gateway;

import org.jspecify.annotations.Nullable;

/**
 * What a generation has to do with a head that is about to leave: another is looked for again and
 * again, and the old one hangs up when that one has said something. Used by one thread.
 */
final class LeavingHead {
    /** Pause between two looks for a successor. */
    private static final int AGAIN_MILLIS = 500;

    private @Nullable HeadCall before;
    private boolean leaves;
    private long lookedMillis;

    /** The head of the present route says that it is about to leave. */
    void said() {
        leaves = true;
    }

    /** A new head was called, which has said nothing of the kind. */
    void called() {
        leaves = false;
    }

    /** Whether it is time to look for a successor again. */
    boolean due(long nowMillis) {
        return leaves && nowMillis - lookedMillis >= AGAIN_MILLIS;
    }

    /** A successor was looked for. */
    void looked(long nowMillis) {
        lookedMillis = nowMillis;
    }

    /** There is one; the old head is kept until it is let go. */
    void replaced(HeadCall call) {
        letGo("its successor was replaced");
        before = call;
    }

    /** The old head may hang up: stages know the newer route and ignore its farewell. */
    void letGo(String why) {
        HeadCall call = before;
        before = null;
        if (call != null) {
            call.cancel(why);
        }
    }
}
