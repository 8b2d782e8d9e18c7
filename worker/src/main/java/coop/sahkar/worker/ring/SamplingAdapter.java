package coop.sahkar.worker.ring;

import coop.sahkar.proto.Grammar;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.SamplingMessage;
import coop.sahkar.worker.engine.Sampling;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Sampling parameters between the wire and the domain, with their ranges. */
public final class SamplingAdapter {
    private static final int WHOLE_SESSION = -1;

    private SamplingAdapter() {}

    /** Fills in what was not set; does not check ranges. */
    public static Sampling fromWire(SamplingMessage wire) {
        return new Sampling(
                wire.getTemperature(),
                wire.getTopK(),
                oneIfUnset(wire.getTopP()),
                wire.getMinP(),
                oneIfUnset(wire.getTypicalP()),
                oneIfUnset(wire.getRepetitionPenalty()),
                wire.getFrequencyPenalty(),
                wire.getPresencePenalty(),
                wire.getPenaltyWindow() == 0 ? WHOLE_SESSION : wire.getPenaltyWindow(),
                new TreeMap<>(wire.getLogitBiasMap()),
                wire.getSeed(),
                wire.getChances(),
                wire.getGrammar(),
                wire.getGrammarFrom(),
                wire.getEmbedding());
    }

    public static SamplingMessage toWire(Sampling sampling) {
        return SamplingMessage.newBuilder()
                .setTemperature(sampling.temperature())
                .setTopK(sampling.topK())
                .setTopP(sampling.topP())
                .setMinP(sampling.minP())
                .setTypicalP(sampling.typicalP())
                .setRepetitionPenalty(sampling.repetitionPenalty())
                .setFrequencyPenalty(sampling.frequencyPenalty())
                .setPresencePenalty(sampling.presencePenalty())
                .setPenaltyWindow(sampling.penaltyWindow())
                .putAllLogitBias(sampling.logitBias())
                .setSeed(sampling.seed())
                .setChances(sampling.chances())
                .setGrammar(sampling.grammar())
                .setGrammarFrom(sampling.grammarFrom())
                .setEmbedding(sampling.embedding())
                .build();
    }

    /**
     * Checks every parameter.
     *
     * @param vocabulary tokens of the model; 0 when this worker does not know
     * @return the first parameter out of its range, named as the request names it
     */
    public static Optional<Problem> check(Sampling s, int vocabulary) {
        return range("temperature", s.temperature(), 0, 5)
                .or(() -> range("top_p", s.topP(), Float.MIN_VALUE, 1))
                .or(() -> range("min_p", s.minP(), 0, 1))
                .or(() -> range("typical_p", s.typicalP(), Float.MIN_VALUE, 1))
                .or(() -> range("repetition_penalty", s.repetitionPenalty(), Float.MIN_VALUE, 10))
                .or(() -> range("frequency_penalty", s.frequencyPenalty(), -2, 2))
                .or(() -> range("presence_penalty", s.presencePenalty(), -2, 2))
                .or(() -> topK(s.topK(), vocabulary))
                .or(() -> window(s.penaltyWindow()))
                .or(() -> bias(s.logitBias(), vocabulary))
                .or(() -> chances(s.chances()))
                .or(() -> grammar(s));
    }

    private static Optional<Problem> chances(int chances) {
        return chances >= 0 && chances <= Limits.MAX_TOP_CHANCES + 1
                ? Optional.empty()
                : Optional.of(
                        Problem.inField(
                                "top_logprobs",
                                "top_logprobs must be 0 to %d.".formatted(Limits.MAX_TOP_CHANCES)));
    }

    private static Optional<Problem> grammar(Sampling s) {
        if (s.grammarFrom() < 0 || s.grammarFrom() > Limits.MAX_POSITIONS) {
            return Optional.of(
                    Problem.inField(
                            "grammar_from",
                            "grammar_from must be a position, 0 to %d."
                                    .formatted(Limits.MAX_POSITIONS)));
        }
        return Grammar.fault(s.grammar())
                .map(fault -> Problem.inField("grammar", "The grammar " + fault + "."));
    }

    private static Optional<Problem> range(String field, float value, float least, float most) {
        if (value >= least && value <= most) {
            return Optional.empty(); // false for NaN
        }
        String from = least == Float.MIN_VALUE ? "above 0" : "at least " + (int) least;
        return Optional.of(
                Problem.inField(
                        field,
                        "%s must be %s and at most %d, not %s."
                                .formatted(field, from, (int) most, value)));
    }

    private static Optional<Problem> topK(int topK, int vocabulary) {
        if (topK >= 0 && (vocabulary == 0 || topK <= vocabulary)) {
            return Optional.empty();
        }
        return Optional.of(
                Problem.inField(
                        "top_k",
                        "top_k must be 0 (off) to %s, not %s."
                                .formatted(
                                        vocabulary == 0 ? "the vocabulary's size" : vocabulary,
                                        Integer.toUnsignedString(topK))));
    }

    private static Optional<Problem> window(int window) {
        if (window >= WHOLE_SESSION && window <= Limits.MAX_POSITIONS) {
            return Optional.empty();
        }
        return Optional.of(
                Problem.inField(
                        "penalty_window",
                        "penalty_window must be -1 (the whole session) to %d, not %d."
                                .formatted(Limits.MAX_POSITIONS, window)));
    }

    private static Optional<Problem> bias(Map<Integer, Float> bias, int vocabulary) {
        if (bias.size() > Limits.MAX_LOGIT_BIAS) {
            return Optional.of(
                    Problem.inField(
                            "logit_bias",
                            "logit_bias has %d entries; at most %d are allowed."
                                    .formatted(bias.size(), Limits.MAX_LOGIT_BIAS)));
        }
        for (Map.Entry<Integer, Float> entry : bias.entrySet()) {
            int token = entry.getKey();
            if (token < 0 || (vocabulary > 0 && token >= vocabulary)) {
                return Optional.of(
                        Problem.inField(
                                "logit_bias",
                                "logit_bias names token %s, which the model does not have."
                                        .formatted(Integer.toUnsignedString(token))));
            }
            if (!Float.isFinite(entry.getValue())) {
                return Optional.of(
                        Problem.inField(
                                "logit_bias",
                                "logit_bias of token %d is not a finite number.".formatted(token)));
            }
        }
        return Optional.empty();
    }

    private static float oneIfUnset(float value) {
        return value == 0 ? 1 : value;
    }
}
