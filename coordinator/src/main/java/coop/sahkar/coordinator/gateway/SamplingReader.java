package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.SamplingMessage;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * Reads how tokens are to be chosen. What is absent is off; the temperature is then 1, as with
 * OpenAI. Ranges are checked by {@link RequestRules}.
 */
final class SamplingReader {
    /**
     * Stands for a top_p of 0: on the wire 0 means unset. Only the likeliest token passes either.
     */
    private static final float ALMOST_ZERO = 1e-6f;

    private SamplingReader() {}

    /**
     * Reads the sampling parameters.
     *
     * @param drawnSeed the seed if the request has none
     */
    static SamplingMessage read(Fields fields, long drawnSeed) {
        SamplingMessage.Builder sampling =
                SamplingMessage.newBuilder()
                        .setTemperature(number(fields, "temperature", 1))
                        .setTopK((int) topK(fields))
                        .setTopP(nucleus(fields, "top_p"))
                        .setMinP(number(fields, "min_p", 0))
                        .setTypicalP(nucleus(fields, "typical_p"))
                        .setRepetitionPenalty(repetitionPenalty(fields))
                        .setFrequencyPenalty(number(fields, "frequency_penalty", 0))
                        .setPresencePenalty(number(fields, "presence_penalty", 0))
                        .setPenaltyWindow(
                                (int)
                                        fields.whole("penalty_window", -1, Limits.MAX_POSITIONS)
                                                .orElse(RequestRules.WHOLE_SESSION))
                        .setSeed(
                                fields.whole("seed", Long.MIN_VALUE, Long.MAX_VALUE)
                                        .orElse(drawnSeed));
        readBias(fields, sampling);
        return sampling.build();
    }

    private static long topK(Fields fields) {
        return Math.max(0, fields.whole("top_k", -1, RequestRules.MAX_TOP_K).orElse(0));
    }

    private static float nucleus(Fields fields, String name) {
        float value = number(fields, name, 1);
        return value == 0 ? ALMOST_ZERO : value;
    }

    private static float repetitionPenalty(Fields fields) {
        return fields.has("repetition_penalty")
                ? number(fields, "repetition_penalty", 1)
                : number(fields, "repeat_penalty", 1);
    }

    private static float number(Fields fields, String name, float absent) {
        return (float) fields.number(name).orElse(absent);
    }

    private static void readBias(Fields fields, SamplingMessage.Builder sampling) {
        Fields bias = fields.inner("logit_bias");
        if (bias == null) {
            return;
        }
        if (bias.object().size() > Limits.MAX_LOGIT_BIAS) {
            throw new RefusedRequest(
                    "logit_bias",
                    "logit_bias may name at most %d tokens.".formatted(Limits.MAX_LOGIT_BIAS));
        }
        for (Map.Entry<String, JsonNode> entry : bias.object().properties()) {
            sampling.putLogitBias(
                    token(entry.getKey()), (float) Fields.number(entry.getValue(), "logit_bias"));
        }
    }

    private static int token(String key) {
        try {
            int token = Integer.parseInt(key);
            if (token >= 0) {
                return token;
            }
        } catch (NumberFormatException _) {
            // Said below.
        }
        throw new RefusedRequest(
                "logit_bias", "logit_bias must map token ids, such as \"42\", to numbers.");
    }
}
