package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.PoolStatus;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The pages that say what there is: models, health, and a hint for people with a browser. */
final class PoolPages {
    private final GatewayPool pool;

    PoolPages(GatewayPool pool) {
        this.pool = pool;
    }

    /** {@code GET /v1/models}. */
    HttpResponse models() {
        ObjectNode list = Json.object();
        list.put("object", "list");
        ArrayNode data = list.putArray("data");
        pool.models().forEach(model -> data.add(json(model)));
        return Json.response(200, list);
    }

    /** {@code GET /v1/models/{id}}: by id, or by a name that only one model has. */
    HttpResponse model(String wanted) {
        List<ModelStatus> found = pool.modelsNamed(wanted);
        if (found.size() == 1) {
            return Json.response(200, json(found.getFirst()));
        }
        String sentence =
                found.isEmpty()
                        ? "No such model is published; GET /v1/models lists those that are."
                        : "Several models have this name; use the full id from GET /v1/models.";
        return OpenAiErrors.response(Problem.of(Problem.Kind.MODEL_NOT_FOUND, sentence));
    }

    private static ObjectNode json(ModelStatus model) {
        ObjectNode json = Json.object();
        json.put("id", model.getModelId());
        json.put("object", "model");
        json.put("created", model.getPublishedAtMillis() / 1_000);
        json.put("owned_by", "sahkar");
        json.put("name", model.getName());
        json.put("architecture", model.getArchitecture());
        json.put("quantization", model.getQuantization());
        json.put("context_length", model.getContextLength());
        json.put("ready", model.getReady());
        json.put("explanation", model.getExplanation().isEmpty() ? null : model.getExplanation());
        return json;
    }

    /** {@code GET /health/live}: the process answers. */
    HttpResponse live() {
        ObjectNode json = Json.object();
        json.put("status", "live");
        return Json.response(200, json);
    }

    /** {@code GET /health} and {@code /health/ready}: 200 when requests make sense, else 503. */
    HttpResponse ready() {
        boolean ready = pool.ready();
        PoolStatus status = pool.status();
        ObjectNode json = Json.object();
        json.put("status", ready ? "ready" : "not ready");
        ArrayNode reasons = json.putArray("reasons");
        if (!ready) {
            reasons.add(
                    "The coordinators have no leader yet, or this one has not caught up; wait, and"
                            + " check that a majority of them runs.");
        }
        json.put("coordinator", status.getCoordinatorId());
        json.put("leader", status.getLeaderId().isEmpty() ? null : status.getLeaderId());
        json.put("generation", status.getGeneration());
        json.put("workers_present", GatewayMetrics.workersPresent(pool));
        json.put("models_ready", GatewayMetrics.modelsReady(pool));
        json.put("models_published", pool.models().size());
        return Json.response(ready ? 200 : 503, json);
    }

    /** {@code GET /status}: who holds what, gaps, latencies, repairs. */
    HttpResponse status() {
        return Json.response(200, StatusFields.of(pool.status()));
    }

    /** {@code GET /}. */
    HttpResponse welcome() {
        return HttpResponse.of(
                MediaType.PLAIN_TEXT_UTF_8,
                """
                This is a Sahkar coordinator: the door to a cooperative pool of language models.

                  GET  /v1/models             the models of the pool
                  POST /v1/chat/completions   chat, as OpenAI's API; also streaming
                  POST /v1/completions        plain text, likewise
                  POST /tokenize, /detokenize text to tokens and back
                  POST /api/chat, /api/generate; GET /api/tags: the same as Ollama has it
                  GET  /health                whether it is ready (/health/live, /health/ready)
                  GET  /status                who holds what, and what is missing
                  GET  /metrics               for Prometheus
                  GET  /v1/policy             limits, what is kept, who sees what
                  GET  /v1/usage              what you have used

                Point an OpenAI client's base URL at this address followed by /v1; show your API key,
                or any word if you have none.
                The same port speaks gRPC to workers and to the Java client.
                """);
    }
}
