package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpResponse;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.ModelStatus;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The pool's models as Ollama's API tells of them. */
final class OllamaModels {
    /** What Ollama's clients put behind a name that has no tag. */
    private static final String LATEST = ":latest";

    private OllamaModels() {}

    /** {@code GET /api/tags}. */
    static HttpResponse tags(GatewayPool pool) {
        ObjectNode json = Json.object();
        ArrayNode models = json.putArray("models");
        for (ModelStatus model : pool.models()) {
            if (!model.getReady() || Sunset.over(model)) {
                continue;
            }
            ObjectNode one = models.addObject();
            one.put("name", model.getName());
            one.put("model", model.getName());
            one.put("modified_at", modified(model));
            one.put("size", model.getFileBytes());
            one.put("digest", digest(model));
            one.set("details", details(model));
        }
        return Json.response(200, json);
    }

    /** {@code GET /api/version}. */
    static HttpResponse version() {
        String version = OllamaModels.class.getPackage().getImplementationVersion();
        ObjectNode json = Json.object();
        json.put("version", Objects.requireNonNullElse(version, "0.0.0"));
        return Json.response(200, json);
    }

    /** {@code POST /api/show}. */
    static HttpResponse show(ModelStatus model) {
        ObjectNode json = Json.object();
        json.put("modelfile", "");
        json.put("parameters", "");
        json.put("template", "");
        json.set("details", details(model));
        ObjectNode info = json.putObject("model_info");
        info.put("general.architecture", model.getArchitecture());
        info.put(model.getArchitecture() + ".context_length", model.getContextLength());
        info.put(model.getArchitecture() + ".block_count", model.getBlockCount());
        json.putArray("capabilities").add("completion").add("tools");
        json.put("modified_at", modified(model));
        return Json.response(200, json);
    }

    /**
     * The model that is named, by id or name, also with the tag that Ollama's clients add.
     *
     * @throws RefusedRequest if there is not exactly one
     */
    static ModelStatus find(GatewayPool pool, String wanted) {
        String bare =
                wanted.endsWith(LATEST)
                        ? wanted.substring(0, wanted.length() - LATEST.length())
                        : wanted;
        List<ModelStatus> found = pool.modelsNamed(bare);
        if (found.size() != 1) {
            throw new RefusedRequest(
                    Problem.of(
                            Problem.Kind.MODEL_NOT_FOUND,
                            found.isEmpty()
                                    ? "No such model is published; GET /api/tags lists those that"
                                            + " are."
                                    : "Several models have this name; use the full id from GET"
                                            + " /v1/models."));
        }
        return found.getFirst();
    }

    private static ObjectNode details(ModelStatus model) {
        ObjectNode details = Json.object();
        details.put("parent_model", "");
        details.put("format", "gguf");
        details.put("family", model.getArchitecture());
        details.putArray("families").add(model.getArchitecture());
        details.put("parameter_size", "");
        details.put("quantization_level", model.getQuantization());
        return details;
    }

    private static String modified(ModelStatus model) {
        return Instant.ofEpochMilli(model.getPublishedAtMillis()).toString();
    }

    private static String digest(ModelStatus model) {
        return model.getModelId().substring(model.getModelId().indexOf('@') + 1);
    }
}
