package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.ServiceRequestContext;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.ModelStatus;
import java.security.SecureRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /api/chat}, {@code /api/generate} and {@code /api/show}, as Ollama's API has them.
 */
final class OllamaService extends JsonService {
    /** What is asked. */
    enum Kind {
        /** A conversation. */
        CHAT,
        /** One prompt. */
        GENERATE,
        /** What a model is. */
        SHOW
    }

    private final RandomGenerator random = new SecureRandom();
    private final GatewayPool pool;
    private final Answering answering;
    private final Kind kind;

    OllamaService(GatewayPool pool, Answering answering, Kind kind) {
        this.pool = pool;
        this.answering = answering;
        this.kind = kind;
    }

    /** Ollama takes JSON under any name; its users send it as curl does unless told otherwise. */
    @Override
    boolean isJson(@Nullable MediaType type) {
        return true;
    }

    @Override
    HttpResponse answer(ServiceRequestContext context, AggregatedHttpRequest whole) {
        try {
            Fields fields = new Fields(Json.object(whole.content().array()));
            ModelStatus model = OllamaModels.find(pool, name(fields));
            return switch (kind) {
                case SHOW -> OllamaModels.show(model);
                case CHAT, GENERATE -> generate(fields, model, context);
            };
        } catch (RefusedRequest refused) {
            return OllamaFormat.error(refused.problem());
        }
    }

    private static String name(Fields fields) {
        String model = fields.text("model");
        String name = model == null || model.isEmpty() ? fields.text("name") : model;
        if (name == null || name.isEmpty()) {
            throw new RefusedRequest("model", "model is missing; GET /api/tags lists them.");
        }
        return name;
    }

    private HttpResponse generate(Fields fields, ModelStatus model, ServiceRequestContext context) {
        if (OllamaRequests.onlyLoads(fields, kind == Kind.CHAT)) {
            return new OllamaFormat(kind == Kind.CHAT, model.getName(), null).loaded();
        }
        OpenAiRequest request =
                OllamaRequests.read(
                        fields,
                        kind == Kind.CHAT,
                        model.getModelId(),
                        RequestIds.of(context),
                        random.nextLong(1, Long.MAX_VALUE));
        OllamaFormat format = new OllamaFormat(kind == Kind.CHAT, model.getName(), request.calls());
        Problem wrong =
                RequestRules.checkLength(
                        request.generate(), pool.contextLength(model.getModelId()));
        return wrong == null
                ? answering.start(request, format, Accounts.of(context))
                : OllamaFormat.error(wrong);
    }
}
