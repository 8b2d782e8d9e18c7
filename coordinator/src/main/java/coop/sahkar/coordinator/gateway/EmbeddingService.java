package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.ServiceRequestContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code POST /v1/embeddings}, and Ollama's {@code /api/embed}. */
final class EmbeddingService extends JsonService {
    private final GatewayPool pool;
    private final Answering answering;
    private final boolean ollama;

    EmbeddingService(GatewayPool pool, Answering answering, boolean ollama) {
        this.pool = pool;
        this.answering = answering;
        this.ollama = ollama;
    }

    /** As {@link OllamaService}: its users send JSON under any name. */
    @Override
    boolean isJson(@Nullable MediaType type) {
        return ollama || super.isJson(type);
    }

    @Override
    HttpResponse answer(ServiceRequestContext context, AggregatedHttpRequest whole) {
        try {
            Fields fields = new Fields(Json.object(whole.content().array()));
            String name = fields.text("model");
            if (name == null || name.isEmpty()) {
                throw new RefusedRequest(
                        "model", "model is missing; GET /v1/models lists what can be named.");
            }
            String model = ollama ? OllamaModels.find(pool, name).getModelId() : name;
            checkTruncate(fields);
            EmbeddingRequest request = EmbeddingRequest.read(fields, model, RequestIds.of(context));
            return answering.embed(
                    request,
                    Accounts.of(context),
                    all -> ollama ? ollama(all, name) : openAi(all, request.base64()),
                    ollama ? OllamaFormat::error : OpenAiErrors::response);
        } catch (RefusedRequest refused) {
            return ollama
                    ? OllamaFormat.error(refused.problem())
                    : OpenAiErrors.response(refused.problem());
        }
    }

    /** A text that is too long is refused here, never cut. */
    private void checkTruncate(Fields fields) {
        if (ollama && fields.flag("truncate")) {
            throw new RefusedRequest(
                    "truncate", "truncate is not supported; a text that is too long is refused.");
        }
    }

    private static HttpResponse openAi(EmbeddingAnswer.Embeddings all, boolean base64) {
        ObjectNode json = Json.object();
        json.put("object", "list");
        ArrayNode data = json.putArray("data");
        List<float[]> vectors = all.vectors();
        for (int i = 0; i < vectors.size(); i++) {
            ObjectNode one = data.addObject();
            one.put("object", "embedding");
            one.put("index", i);
            one.set(
                    "embedding",
                    base64 ? Json.text(bytes(vectors.get(i))) : numbers(vectors.get(i)));
        }
        json.put("model", all.model());
        json.putObject("usage")
                .put("prompt_tokens", all.tokens())
                .put("total_tokens", all.tokens());
        return Json.response(200, json);
    }

    private static HttpResponse ollama(EmbeddingAnswer.Embeddings all, String model) {
        ObjectNode json = Json.object();
        json.put("model", model);
        ArrayNode embeddings = json.putArray("embeddings");
        all.vectors().forEach(vector -> embeddings.add(numbers(vector)));
        json.put("prompt_eval_count", all.tokens());
        return Json.response(200, json);
    }

    private static JsonNode numbers(float[] vector) {
        ArrayNode numbers = Json.array();
        for (float one : vector) {
            numbers.add(one);
        }
        return numbers;
    }

    private static String bytes(float[] vector) {
        ByteBuffer buffer =
                ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(vector);
        return Base64.getEncoder().encodeToString(buffer.array());
    }
}
