package coop.sahkar.worker.store;

import java.util.concurrent.CancellationException;

/**
 * Ends a piece of work early. A flag and not an interrupt: an interrupt would close the file
 * channels that other threads write through.
 */
public final class Cancellation {
    private final Cancellation[] others;
    private volatile boolean cancelled;

    private Cancellation(Cancellation... others) {
        this.others = others;
    }

    public Cancellation() {
        this(new Cancellation[0]);
    }

    public void cancel() {
        cancelled = true;
    }

    public boolean cancelled() {
        for (Cancellation other : others) {
            if (other.cancelled()) {
                return true;
            }
        }
        return cancelled;
    }

    /** Cancelled when this one or {@code other} is. */
    Cancellation or(Cancellation other) {
        return new Cancellation(this, other);
    }

    /**
     * Ends the work here if it was cancelled.
     *
     * @throws CancellationException if {@link #cancel} was called
     */
    public void check() {
        if (cancelled()) {
            throw new CancellationException("cancelled");
        }
    }
}
