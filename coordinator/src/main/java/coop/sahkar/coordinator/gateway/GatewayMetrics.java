package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.trace.Tracer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the gateway counts. Labels are routes, statuses and kinds of failure: few values, and
 * nothing that a caller wrote. Thread-safe.
 */
final class GatewayMetrics {
    private static final Duration[] FIRST_TOKEN_BUCKETS =
            seconds(.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60);
    private static final Duration[] NEXT_TOKEN_BUCKETS =
            seconds(.005, .01, .02, .05, .1, .2, .5, 1, 2, 5);
    private static final Duration[] REQUEST_BUCKETS = seconds(.01, .1, .5, 1, 5, 10, 30, 60, 300);

    private static final double[] TOKEN_BUCKETS = {
        1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144
    };

    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Counter promptTokens =
            Counter.builder("sahkar.tokens.prompt")
                    .description("Tokens of the prompts of finished generations")
                    .register(registry);
    private final Counter completionTokens =
            Counter.builder("sahkar.tokens.completion")
                    .description("Tokens generated and passed to readers")
                    .register(registry);
    private final Counter refusedPeers =
            Counter.builder("sahkar.peers.refused")
                    .description(
                            "Connections and calls refused since who made them showed no right certificate")
                    .register(registry);
    private final Timer firstToken =
            Timer.builder("sahkar.generation.first.token")
                    .description("From a request to its first token")
                    .serviceLevelObjectives(FIRST_TOKEN_BUCKETS)
                    .register(registry);
    private final Timer nextToken =
            Timer.builder("sahkar.generation.next.token")
                    .description("Between the tokens of one generation")
                    .serviceLevelObjectives(NEXT_TOKEN_BUCKETS)
                    .register(registry);

    /** Does nothing unless OpenTelemetry's agent is there. */
    private static final Tracer TRACER = GlobalOpenTelemetry.getTracer("coop.sahkar.gateway");

    /** OpenTelemetry's names for what generative models do; what is asked is the operation. */
    private static final String OPERATION = "gen_ai.operation.name";

    private static final String MODEL = "gen_ai.response.model";
    private static final String PROVIDER = "gen_ai.provider.name";
    private static final String SAHKAR = "sahkar";

    GatewayMetrics(GatewayPool pool, GenerationRunner runner) {
        Gauge.builder("sahkar.generations.running", runner, GenerationRunner::running)
                .description("Generations running through this coordinator")
                .register(registry);
        Gauge.builder("sahkar.generations.waiting", runner, GenerationRunner::waiting)
                .description("Requests that wait at this coordinator for room")
                .register(registry);
        Gauge.builder("sahkar.workers.present", pool, GatewayMetrics::workersPresent)
                .description("Workers attached now")
                .register(registry);
        Gauge.builder("sahkar.models.ready", pool, GatewayMetrics::modelsReady)
                .description("Models that a chain of workers covers now")
                .register(registry);
        Gauge.builder("sahkar.models.published", pool, p -> p.models().size())
                .description("Models of the pool")
                .register(registry);
    }

    /** A call was refused since its caller may not make it. */
    void refusedPeer() {
        refusedPeers.increment();
    }

    /** The page for Prometheus. */
    String page() {
        return registry.scrape();
    }

    /** Passes a request on and counts it when it is answered. */
    HttpResponse measuredRequest(
            HttpService delegate, ServiceRequestContext context, HttpRequest request)
            throws Exception {
        var _ =
                context.log()
                        .whenComplete()
                        .thenAccept(log ->
                                answered(
                                        context.config().route().patternString(),
                                        log.responseStatus().code(),
                                        log.totalDurationNanos()));
        return delegate.serve(context, request);
    }

    private void answered(String route, int status, long nanos) {
        Timer.builder("sahkar.http.requests")
                .description("HTTP requests by route and status")
                .tag("route", route)
                .tag("status", Integer.toString(status))
                .serviceLevelObjectives(REQUEST_BUCKETS)
                .register(registry)
                .record(nanos, TimeUnit.NANOSECONDS);
    }

    /** Lets a listener's generation be measured. */
    GenerationListener measured(GenerateRequest request, GenerationListener reader) {
        String operation = operation(request);
        return new Measured(operation, new TracedGeneration(TRACER, operation, request, reader));
    }

    private static String operation(GenerateRequest request) {
        if (request.getSampling().getEmbedding()) {
            return "embeddings";
        }
        return request.hasChat() ? "chat" : "text_completion";
    }

    private Timer timer(String name, String what, Duration[] buckets, String... tags) {
        return Timer.builder(name)
                .description(what)
                .tags(PROVIDER, SAHKAR)
                .tags(tags)
                .serviceLevelObjectives(buckets)
                .register(registry);
    }

    private void used(String operation, String model, String type, int tokens) {
        DistributionSummary.builder("gen_ai.client.token.usage")
                .description("Tokens of one operation, as its caller is told")
                .tags(PROVIDER, SAHKAR, OPERATION, operation, MODEL, model)
                .tag("gen_ai.token.type", type)
                .serviceLevelObjectives(TOKEN_BUCKETS)
                .register(registry)
                .record(tokens);
    }

    private void ended(String outcome) {
        Counter.builder("sahkar.generations.ended")
                .description("Generations by outcome")
                .tag("outcome", outcome)
                .register(registry)
                .increment();
    }

    static long workersPresent(GatewayPool pool) {
        return pool.status().getWorkersList().stream().filter(w -> w.getPresent()).count();
    }

    static long modelsReady(GatewayPool pool) {
        return pool.models().stream().filter(m -> m.getReady()).count();
    }

    private static Duration[] seconds(double... bounds) {
        Duration[] durations = new Duration[bounds.length];
        for (int i = 0; i < bounds.length; i++) {
            durations[i] = Duration.ofMillis(Math.round(bounds[i] * 1_000));
        }
        return durations;
    }

    /** Looks at the clock. */
    private final class Measured extends Onlooker {
        private final String operation;
        private final long beganNanos = System.nanoTime();
        private String model = "";
        private @Nullable Timer perToken;
        private long lastNanos;

        Measured(String operation, GenerationListener reader) {
            super(reader);
            this.operation = operation;
        }

        @Override
        public void event(GenerationEvent event) {
            switch (event.getEventCase()) {
                case DELTA -> tokens(event.getDelta().getTokensCount());
                case FINISHED -> {
                    promptTokens.increment(event.getFinished().getPromptTokens());
                    ended("finished");
                    used(operation, model, "input", event.getFinished().getPromptTokens());
                    used(operation, model, "output", event.getFinished().getCompletionTokens());
                    took("");
                }
                case FAILED -> {
                    String outcome = Problems.label(event.getFailed());
                    ended(outcome);
                    took(outcome);
                }
                case STARTED -> model = event.getStarted().getModelId();
                case PREFILLED, REROUTED, LEAVING, EVENT_NOT_SET -> {}
            }
            super.event(event);
        }

        @Override
        public void abandoned() {
            ended("abandoned");
            took("abandoned");
            super.abandoned();
        }

        /**
         * @param error why it failed; empty if it did not
         */
        private void took(String error) {
            timer(
                            "gen_ai.server.request.duration",
                            "From a request to the end of its answer",
                            REQUEST_BUCKETS,
                            OPERATION,
                            operation,
                            MODEL,
                            model,
                            "error.type",
                            error)
                    .record(System.nanoTime() - beganNanos, TimeUnit.NANOSECONDS);
        }

        private Timer timed(String name, String what, Duration[] buckets) {
            return timer(name, what, buckets, OPERATION, operation, MODEL, model);
        }

        private void tokens(int count) {
            if (count == 0) {
                return;
            }
            long now = System.nanoTime();
            completionTokens.increment(count);
            if (lastNanos == 0) {
                firstToken.record(now - beganNanos, TimeUnit.NANOSECONDS);
                timed(
                                "gen_ai.server.time_to_first_token",
                                "From a request to its first token",
                                FIRST_TOKEN_BUCKETS)
                        .record(now - beganNanos, TimeUnit.NANOSECONDS);
            } else {
                nextToken.record((now - lastNanos) / count, TimeUnit.NANOSECONDS);
                Timer each = perToken;
                if (each == null) {
                    each =
                            timed(
                                    "gen_ai.server.time_per_output_token",
                                    "Between the tokens of one answer",
                                    NEXT_TOKEN_BUCKETS);
                    perToken = each;
                }
                each.record((now - lastNanos) / count, TimeUnit.NANOSECONDS);
            }
            lastNanos = now;
        }
    }
}
