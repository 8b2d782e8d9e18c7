package coop.sahkar.coordinator.gateway;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * One question whether a head is there. Only the head's own time counts: what this process takes to
 * write the question, and to read what has come, does not, so that a gateway that is late itself
 * blames nobody. Its steps come in this order, {@link #answered} at any moment. Thread-safe.
 */
final class HeadInquiry {
    private final Consumer<Boolean> verdict;
    private final BooleanSupplier heard;
    private final Consumer<Runnable> catchUp;
    private final Consumer<Runnable> answerTime;
    private final AtomicBoolean over = new AtomicBoolean();

    /**
     * @param heard whether anything has come from the head since the question
     * @param catchUp runs something when this process has dealt with what lies before it
     * @param answerTime runs something when the head has had its time
     * @param verdict is told once whether the head is there
     */
    HeadInquiry(
            BooleanSupplier heard,
            Consumer<Runnable> catchUp,
            Consumer<Runnable> answerTime,
            Consumer<Boolean> verdict) {
        this.heard = heard;
        this.catchUp = catchUp;
        this.answerTime = answerTime;
        this.verdict = verdict;
    }

    /** The question was asked, though it may not be written yet. */
    void asked() {
        catchUp.accept(() -> answerTime.accept(() -> catchUp.accept(this::judge)));
    }

    private void judge() {
        answered(heard.getAsBoolean());
    }

    /** The head said so, or its connection is broken. */
    void answered(boolean here) {
        if (over.compareAndSet(false, true)) {
            verdict.accept(here);
        }
    }
}
