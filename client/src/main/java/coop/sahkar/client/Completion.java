package coop.sahkar.client;

import java.time.Duration;
import java.util.List;

/**
 * A complete answer.
 *
 * @param text all of it
 * @param finishReason why it ended
 * @param usage what it took
 * @param timings how long it took
 * @param answering who answered; of a continued answer, who ended it
 * @param toolCalls tools the model wants called
 * @param parts who gave which part of the text; more than one where another provider went on
 * @param tried who was asked in vain before, in order
 */
public record Completion(
        String text,
        FinishReason finishReason,
        Usage usage,
        Timings timings,
        Answering answering,
        List<ToolCall> toolCalls,
        List<Part> parts,
        List<Tried> tried) {
    public Completion {
        toolCalls = List.copyOf(toolCalls);
        parts = List.copyOf(parts);
        tried = List.copyOf(tried);
    }

    /** Why an answer ended. */
    public enum FinishReason {
        /** The model ended its answer, or a stop string appeared. */
        STOP,
        /** The asked-for length or the end of the context was reached. */
        LENGTH,
        /** The model waits for the results of tools. */
        TOOL_CALLS,
        /** The provider's filter ended it. */
        FILTERED
    }

    /**
     * Tokens counted.
     *
     * @param promptTokens tokens of the prompt
     * @param completionTokens tokens generated, the one that ended the answer included
     * @param cachedTokens tokens of the prompt that were not computed, because the provider still
     *     had them from an earlier request; 0 where it does not say
     * @param estimated whether the numbers are guesses from the length of the texts, because a
     *     provider did not count
     */
    public record Usage(
            int promptTokens, int completionTokens, int cachedTokens, boolean estimated) {
        /** Tokens as a provider counted them, none of them cached. */
        public Usage(int promptTokens, int completionTokens) {
            this(promptTokens, completionTokens, 0, false);
        }

        public int totalTokens() {
            return promptTokens + completionTokens;
        }
    }

    /**
     * Times as the pool's head worker measured them, or as they were seen here where the provider
     * does not tell.
     *
     * @param firstToken from start to first token
     * @param decode from first to last token
     */
    public record Timings(Duration firstToken, Duration decode) {}

    /** Whether another provider went on where one had stopped. */
    public boolean continued() {
        return parts.size() > 1;
    }

    /** Tokens per second after the first; 0 when there was only one. */
    public double tokensPerSecond() {
        double seconds = timings.decode().toNanos() / 1e9;
        return usage.completionTokens() > 1 && seconds > 0
                ? (usage.completionTokens() - 1) / seconds
                : 0;
    }
}
