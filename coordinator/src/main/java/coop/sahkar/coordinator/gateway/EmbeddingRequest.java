package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.SamplingMessage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A request for embeddings, read and checked: {@code /v1/embeddings}, or Ollama's {@code
 * /api/embed}. Each text is a prompt of its own, whose first answer token comes with the hidden
 * state it was chosen from: that of the prompt's last token behind the output norm.
 *
 * @param texts what to generate, one token each
 * @param base64 whether numbers are wanted as bytes
 */
record EmbeddingRequest(List<GenerateRequest> texts, boolean base64) {
    /** Nothing that is drawn shows. */
    private static final long SEED = 1;

    /**
     * Reads a request.
     *
     * @param model what the workers know the model by
     * @throws RefusedRequest for the first fault found
     */
    static EmbeddingRequest read(Fields fields, String model, String requestId) {
        if (fields.has("dimensions")) {
            throw new RefusedRequest(
                    "dimensions", "dimensions is not supported; leave it out and get all of them.");
        }
        fields.text("user");
        List<String> inputs = inputs(fields.get("input"));
        List<GenerateRequest> texts = new ArrayList<>();
        for (String input : inputs) {
            GenerateRequest one = request(model, input, requestId);
            Problem wrong = RequestRules.check(one);
            if (wrong != null) {
                throw wrong.field().equals("prompt")
                        ? new RefusedRequest("input", wrong.message().replace("prompt", "input"))
                        : new RefusedRequest(wrong);
            }
            texts.add(one);
        }
        return new EmbeddingRequest(texts, base64(fields.text("encoding_format")));
    }

    private static GenerateRequest request(String model, String input, String requestId) {
        GenerateRequest request =
                GenerateRequest.newBuilder()
                        .setModel(model)
                        .setPrompt(input)
                        .setRequestId(requestId)
                        .setMaxTokens(1)
                        .setSampling(SamplingMessage.newBuilder().setEmbedding(true))
                        .build();
        return RequestRules.completed(request, SEED);
    }

    private static boolean base64(@Nullable String format) {
        if (format == null || format.equals("float")) {
            return false;
        }
        if (format.equals("base64")) {
            return true;
        }
        throw new RefusedRequest("encoding_format", "encoding_format must be float or base64.");
    }

    private static List<String> inputs(@Nullable JsonNode input) {
        if (input == null) {
            throw new RefusedRequest("input", "input is missing; give a text, or several.");
        }
        if (!input.isArray()) {
            return List.of(Fields.text(input, "input"));
        }
        if (input.isEmpty() || input.size() > GatewayLimits.MAX_EMBEDDING_INPUTS) {
            throw new RefusedRequest(
                    "input",
                    "input must hold 1 to %d texts.".formatted(GatewayLimits.MAX_EMBEDDING_INPUTS));
        }
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < input.size(); i++) {
            String at = "input[" + i + "]";
            if (!input.get(i).isString()) {
                throw new RefusedRequest(at, at + " must be a text; token ids are not taken.");
            }
            texts.add(Fields.text(input.get(i), at));
        }
        return texts;
    }
}
