package coop.sahkar.worker.head;

/**
 * How a generation ended.
 *
 * @param length whether it ran out of tokens or positions; otherwise the model or a stop string
 *     ended it
 * @param promptTokens tokens of the prompt
 * @param completionTokens tokens generated, those of an earlier head and the one that ended it
 *     included
 * @param firstTokenMicros from start to the first token here; 0 when there was none
 * @param decodeMicros from the first token to the last
 * @param reusedTokens tokens of the prompt that the head held already
 */
public record GenerationEnd(
        boolean length,
        int promptTokens,
        int completionTokens,
        long firstTokenMicros,
        long decodeMicros,
        int reusedTokens) {}
