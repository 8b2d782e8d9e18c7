package coop.sahkar.client;

import java.time.Duration;

/**
 * A complete answer.
 *
 * @param text all of it
 * @param finishReason why it ended
 * @param usage what it took
 * @param timings how long it took
 * @param answering who answered
 */
public record Completion(
        String text, FinishReason finishReason, Usage usage, Timings timings, Answering answering) {

    /** Why an answer ended. */
    public enum FinishReason {
        /** The model ended its answer, or a stop string appeared. */
        STOP,
        /** The asked-for length or the end of the context was reached. */
        LENGTH
    }

    /**
     * Tokens counted.
     *
     * @param promptTokens tokens of the prompt
     * @param completionTokens tokens generated, the one that ended the answer included
     */
    public record Usage(int promptTokens, int completionTokens) {
        public int totalTokens() {
            return promptTokens + completionTokens;
        }
    }

    /**
     * Times as the head worker measured them.
     *
     * @param firstToken from start to first token
     * @param decode from first to last token
     */
    public record Timings(Duration firstToken, Duration decode) {}

    /** Tokens per second after the first; 0 when there was only one. */
    public double tokensPerSecond() {
        double seconds = timings.decode().toNanos() / 1e9;
        return usage.completionTokens() > 1 && seconds > 0
                ? (usage.completionTokens() - 1) / seconds
                : 0;
    }
}
