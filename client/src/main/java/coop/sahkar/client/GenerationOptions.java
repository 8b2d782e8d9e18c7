package coop.sahkar.client;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * How a model is to answer. Ranges beyond "not negative" are checked by the pool, which names the
 * field that is wrong.
 *
 * @param maxTokens most tokens to generate, fewer if the prompt leaves less of the context; 0: as
 *     many as the pool grants by default, 2048 unless its members chose another number; more than
 *     the model's whole context is refused
 * @param stop the answer ends before the first of these that appears
 * @param timeout how long the whole answer may take; empty: as long as it takes
 * @param temperature 0 is greedy: the likeliest token every time
 * @param topK keep the k likeliest; 0 is off
 * @param topP keep the smallest set with this probability; 1 is off
 * @param minP drop tokens less likely than this share of the likeliest; 0 is off
 * @param typicalP locally typical sampling; 1 is off
 * @param repetitionPenalty divides the logits of recent tokens; 1 is off
 * @param frequencyPenalty subtracted per occurrence among the recent tokens; 0 is off
 * @param presencePenalty subtracted once for each recent token; 0 is off
 * @param penaltyWindow how many tokens back "recent" goes; -1 is the whole session
 * @param logitBias added to the logits of these tokens
 * @param seed the same request with the same seed gives the same text; empty: a new one each time
 */
public record GenerationOptions(
        int maxTokens,
        List<String> stop,
        Optional<Duration> timeout,
        float temperature,
        int topK,
        float topP,
        float minP,
        float typicalP,
        float repetitionPenalty,
        float frequencyPenalty,
        float presencePenalty,
        int penaltyWindow,
        Map<Integer, Float> logitBias,
        OptionalLong seed) {

    private static final int DEFAULT_PENALTY_WINDOW = 64;

    /** Plain sampling at temperature 1 until the model ends its answer. */
    public static final GenerationOptions DEFAULT = builder().build();

    public GenerationOptions {
        stop = List.copyOf(stop);
        logitBias = Map.copyOf(logitBias);
        notNegative("maxTokens", maxTokens);
        notNegative("topK", topK);
        logitBias.keySet().forEach(token -> notNegative("logitBias", token));
        if (timeout.isPresent() && !timeout.get().isPositive()) {
            throw new IllegalArgumentException("timeout must be positive, not " + timeout.get());
        }
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * Options that ask for something and that not every service takes, by their names in OpenAI's
     * API or where that has none, in the one most servers follow.
     */
    public SortedSet<String> parameters() {
        SortedSet<String> set = new TreeSet<>();
        addIf(set, "seed", seed.isPresent());
        addIf(set, "top_k", topK != 0);
        addIf(set, "min_p", minP != 0);
        addIf(set, "typical_p", typicalP != 1);
        addIf(set, "repetition_penalty", repetitionPenalty != 1);
        addIf(set, "frequency_penalty", frequencyPenalty != 0);
        addIf(set, "presence_penalty", presencePenalty != 0);
        addIf(set, "penalty_window", penaltyWindow != DEFAULT_PENALTY_WINDOW);
        addIf(set, "logit_bias", !logitBias.isEmpty());
        return set;
    }

    private static void addIf(Set<String> set, String name, boolean asked) {
        if (asked) {
            set.add(name);
        }
    }

    private static void notNegative(String what, int value) {
        if (value < 0) {
            throw new IllegalArgumentException(what + " must not be negative, it is " + value);
        }
    }

    /** Collects options; what is not set keeps its default. */
    public static final class Builder {
        private int maxTokens;
        private List<String> stop = List.of();
        private Optional<Duration> timeout = Optional.empty();
        private float temperature = 1;
        private int topK;
        private float topP = 1;
        private float minP;
        private float typicalP = 1;
        private float repetitionPenalty = 1;
        private float frequencyPenalty;
        private float presencePenalty;
        private int penaltyWindow = DEFAULT_PENALTY_WINDOW;
        private Map<Integer, Float> logitBias = Map.of();
        private OptionalLong seed = OptionalLong.empty();

        private Builder() {}

        /** Most tokens to generate; 0, the default: as many as the context has room for. */
        public Builder maxTokens(int value) {
            maxTokens = value;
            return this;
        }

        /** The answer ends before the first of these that appears. */
        public Builder stop(String... values) {
            stop = List.of(values);
            return this;
        }

        /** How long the whole answer may take. */
        public Builder timeout(Duration value) {
            timeout = Optional.of(value);
            return this;
        }

        /** 0 is greedy. Default 1. */
        public Builder temperature(double value) {
            temperature = (float) value;
            return this;
        }

        /** Keep the k likeliest; 0, the default, is off. */
        public Builder topK(int value) {
            topK = value;
            return this;
        }

        /** Keep the smallest set with this probability; 1, the default, is off. */
        public Builder topP(double value) {
            topP = (float) value;
            return this;
        }

        /** Drop tokens less likely than this share of the likeliest; 0, the default, is off. */
        public Builder minP(double value) {
            minP = (float) value;
            return this;
        }

        /** Locally typical sampling; 1, the default, is off. */
        public Builder typicalP(double value) {
            typicalP = (float) value;
            return this;
        }

        /** Divides the logits of recent tokens; 1, the default, is off. */
        public Builder repetitionPenalty(double value) {
            repetitionPenalty = (float) value;
            return this;
        }

        /** Subtracted per occurrence among the recent tokens; 0, the default, is off. */
        public Builder frequencyPenalty(double value) {
            frequencyPenalty = (float) value;
            return this;
        }

        /** Subtracted once for each recent token; 0, the default, is off. */
        public Builder presencePenalty(double value) {
            presencePenalty = (float) value;
            return this;
        }

        /** How many tokens back "recent" goes; -1 is the whole session. Default 64. */
        public Builder penaltyWindow(int value) {
            penaltyWindow = value;
            return this;
        }

        /** Added to the logits of these tokens. */
        public Builder logitBias(Map<Integer, Float> value) {
            logitBias = value;
            return this;
        }

        /** The same request with the same seed gives the same text. */
        public Builder seed(long value) {
            seed = OptionalLong.of(value);
            return this;
        }

        public GenerationOptions build() {
            return new GenerationOptions(
                    maxTokens,
                    stop,
                    timeout,
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
                    seed);
        }
    }
}
