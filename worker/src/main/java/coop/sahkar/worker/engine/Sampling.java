package coop.sahkar.worker.engine;

import java.util.SortedMap;

/**
 * How tokens are chosen. Ranges are checked where requests enter the pool.
 *
 * @param temperature 0 is greedy: the likeliest token after penalties and bias
 * @param topK keep the k likeliest; 0 is off
 * @param topP keep the smallest set with this probability; 1 is off
 * @param minP drop tokens less likely than this share of the likeliest; 0 is off
 * @param typicalP locally typical sampling; 1 is off
 * @param repetitionPenalty divides the logits of recent tokens; 1 is off
 * @param frequencyPenalty subtracted per occurrence among the recent tokens; 0 is off
 * @param presencePenalty subtracted once for each recent token; 0 is off
 * @param penaltyWindow how many tokens back "recent" goes; -1 is the whole session
 * @param logitBias added to the logits of these tokens
 * @param seed with the position, decides the random choice
 * @param chances 0: tokens come without chances; n: with their own and the n - 1 likeliest
 * @param grammar only tokens it allows are chosen, GBNF with a rule named root; empty: any
 * @param grammarFrom position of the first token that the grammar is for
 * @param embedding whether the first token comes with the hidden state that it was chosen from
 */
public record Sampling(
        float temperature,
        int topK,
        float topP,
        float minP,
        float typicalP,
        float repetitionPenalty,
        float frequencyPenalty,
        float presencePenalty,
        int penaltyWindow,
        SortedMap<Integer, Float> logitBias,
        long seed,
        int chances,
        String grammar,
        int grammarFrom,
        boolean embedding) {

    /** Without chances and without a grammar. */
    public Sampling(
            float temperature,
            int topK,
            float topP,
            float minP,
            float typicalP,
            float repetitionPenalty,
            float frequencyPenalty,
            float presencePenalty,
            int penaltyWindow,
            SortedMap<Integer, Float> logitBias,
            long seed) {
        this(
                temperature,
                topK,
                topP,
                minP,
                typicalP,
                repetitionPenalty,
                frequencyPenalty,
                presencePenalty,
                penaltyWindow,
                logitBias,
                seed,
                0,
                "",
                0,
                false);
    }

    /** The same with its grammar, if it has one, for tokens from a position on. */
    public Sampling grammarFrom(int position) {
        return new Sampling(
                temperature,
                topK,
                topP,
                minP,
                typicalP,
                repetitionPenalty,
                frequencyPenalty,
                presencePenalty,
                penaltyWindow,
                logitBias,
                seed,
                chances,
                grammar,
                position,
                embedding);
    }
}
