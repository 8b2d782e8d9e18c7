package coop.sahkar.client.provider;

import java.time.Duration;

/** One answer as one provider gives it. One thread takes; any thread may cancel. */
public interface Answer {
    /**
     * Waits for the next event. {@link AnswerEvent.Finished} and {@link AnswerEvent.Failed} are the
     * last ones.
     *
     * @param longest how long to wait
     * @return the event, or {@link AnswerEvent.Silence} when none came in that time
     */
    AnswerEvent take(Duration longest) throws InterruptedException;

    /** Ends the work at the provider; a reader that waits gets a failure soon. */
    void cancel();
}
