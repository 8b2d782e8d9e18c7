package coop.sahkar.worker.engine;

import java.util.concurrent.TimeUnit;

/**
 * Whether the tokens of a lone session follow each other so closely that a stage does well to stay
 * awake in between. On a slow network it would burn a processor for nothing: a token takes long
 * there, and to wake takes little of that. Confined to the engine's thread.
 */
final class Rhythm {
    /** How long the next token is waited for awake. */
    static final long MOST_NANOS = TimeUnit.MILLISECONDS.toNanos(60);

    private boolean waiting;
    private long sinceNanos;
    private long lastWaitNanos;

    /** A token was computed, and the next one is waited for from now on. */
    void waits(long nowNanos) {
        waiting = true;
        sinceNanos = nowNanos;
    }

    /** A batch is computed now. */
    void computes(long nowNanos) {
        lastWaitNanos = waiting ? nowNanos - sinceNanos : 0;
        waiting = false;
    }

    /** Whether the token before came within {@link #MOST_NANOS}, or nothing is known of it. */
    boolean close() {
        return lastWaitNanos <= MOST_NANOS;
    }
}
