package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import java.util.List;

/**
 * Tells OpenTelemetry of a generation: a span with the names of its conventions for generative
 * models, and nothing of what was said. Without OpenTelemetry's agent in the process it does
 * nothing.
 */
final class TracedGeneration extends Onlooker {
    private static final String CANCELLED = "cancelled";
    private static final AttributeKey<List<String>> FINISH_REASONS =
            AttributeKey.stringArrayKey("gen_ai.response.finish_reasons");

    private final String operation;
    private final Span span;

    TracedGeneration(
            Tracer tracer, String operation, GenerateRequest request, GenerationListener reader) {
        super(reader);
        this.operation = operation;
        this.span =
                tracer.spanBuilder(operation)
                        .setSpanKind(SpanKind.INTERNAL)
                        .setAttribute("gen_ai.operation.name", operation)
                        .setAttribute("gen_ai.provider.name", "sahkar")
                        .setAttribute("gen_ai.request.max_tokens", (long) request.getMaxTokens())
                        .setAttribute(
                                "gen_ai.request.temperature",
                                (double) request.getSampling().getTemperature())
                        .setAttribute(
                                "gen_ai.request.top_p", (double) request.getSampling().getTopP())
                        .startSpan();
    }

    @Override
    public void event(GenerationEvent event) {
        switch (event.getEventCase()) {
            case STARTED -> named(event.getStarted().getModelId());
            case FINISHED -> finish(event.getFinished());
            case FAILED -> fail(Problems.label(event.getFailed()));
            case DELTA, PREFILLED, REROUTED, LEAVING, EVENT_NOT_SET -> {}
        }
        super.event(event);
    }

    private void named(String model) {
        span.updateName(operation + " " + model);
        span.setAttribute("gen_ai.request.model", model);
        span.setAttribute("gen_ai.response.model", model);
    }

    private void finish(Finished finished) {
        boolean cut = finished.getReason() == FinishReason.FINISH_REASON_LENGTH;
        span.setAttribute(FINISH_REASONS, List.of(cut ? "length" : "stop"));
        span.setAttribute("gen_ai.usage.input_tokens", (long) finished.getPromptTokens());
        span.setAttribute("gen_ai.usage.output_tokens", (long) finished.getCompletionTokens());
        span.end();
    }

    private void fail(String kind) {
        span.setAttribute("error.type", kind);
        span.setStatus(StatusCode.ERROR);
        span.end();
    }

    @Override
    public void abandoned() {
        fail(CANCELLED);
        super.abandoned();
    }
}
