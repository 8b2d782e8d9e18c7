package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.grpc.GrpcSerializationFormats;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.cors.CorsService;
import com.linecorp.armeria.server.cors.CorsServiceBuilder;
import com.linecorp.armeria.server.grpc.GrpcService;
import com.linecorp.armeria.server.grpc.GrpcServiceBuilder;
import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.accounts.Doorkeeper;
import coop.sahkar.proto.tls.NodeTls;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The pool's front door: HTTP/1.1, HTTP/2, server-sent events and gRPC on one port. */
public final class Gateway implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);

    private final Server server;
    private final GenerationRunner runner;
    private final String host;
    private final String scheme;

    private Gateway(Server server, GenerationRunner runner, String host, String scheme) {
        this.server = server;
        this.runner = runner;
        this.host = host;
        this.scheme = scheme;
    }

    /**
     * Opens a coordinator's gateway.
     *
     * @throws GatewayException in a sentence, when the address cannot be listened on
     */
    public static Gateway start(Coordinator coordinator, GatewayOptions options) {
        Gateway gateway = start(new CoordinatorPool(coordinator), options);
        coordinator.count(gateway::running, gateway::waiting);
        return gateway;
    }

    /**
     * Opens a gateway to whatever serves as a pool.
     *
     * @throws GatewayException in a sentence, when the address cannot be listened on
     */
    public static Gateway start(GatewayPool pool, GatewayOptions options) {
        GenerationRunner runner = new GenerationRunner(pool, options.patience());
        GatewayMetrics metrics = new GatewayMetrics(pool, runner);
        Server server = build(pool, options, runner, metrics);
        try {
            server.start().join();
        } catch (CompletionException refused) {
            runner.close();
            throw new GatewayException(
                    "The gateway cannot listen on %s:%d (%s). Stop what uses the port, or choose another."
                            .formatted(options.host(), options.port(), reason(refused)),
                    refused);
        }
        String scheme = pool.transport().tls().isPresent() ? "https" : "http";
        return new Gateway(server, runner, options.host(), scheme);
    }

    private static String reason(CompletionException refused) {
        Throwable cause = refused.getCause();
        return String.valueOf(cause == null ? refused.getMessage() : cause.getMessage());
    }

    /** The TCP port it listens on. */
    public int port() {
        // Not activeLocalPort(): that knows loopback and wildcard addresses only.
        return Objects.requireNonNull(server.activePort()).localAddress().getPort();
    }

    /** Its address for people and clients, without a slash at the end. */
    public String url() {
        String name = host.contains(":") ? "[" + host + "]" : host;
        return scheme + "://" + name + ":" + port();
    }

    /** Generations running through it. */
    public int running() {
        return runner.running();
    }

    /** Requests that wait for room. */
    public int waiting() {
        return runner.waiting();
    }

    /** Takes no new requests, lets running generations end for a short while, and closes. */
    @Override
    public void close() {
        runner.close();
        try {
            // The port and all connections are closed at once; the rest is threads going idle.
            server.stop().get(GatewayLimits.CLOSE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException idle) {
            LOG.debug("the server's threads are still stopping");
        } catch (ExecutionException failed) {
            LOG.warn("the server did not stop cleanly", failed.getCause());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static Server build(
            GatewayPool pool,
            GatewayOptions options,
            GenerationRunner runner,
            GatewayMetrics metrics) {
        InetSocketAddress at = new InetSocketAddress(options.host(), options.port());
        NodeTls tls = pool.transport().tls().orElse(null);
        ServerBuilder builder =
                tls == null ? Server.builder().http(at) : Server.builder().https(at);
        if (tls == null) {
            builder.childChannelPipelineCustomizer(pipeline -> pipeline.addFirst(new NoUpgrade()));
        } else {
            GatewayTls.encrypt(builder, tls, metrics::refusedPeer);
        }
        // In the global registry a second gateway of this process would be warned of.
        builder.meterRegistry(new SimpleMeterRegistry());
        limit(builder);
        Turnstile turnstile = new Turnstile(pool);
        Doorkeeper doorkeeper = pool.gate().doorkeeper();
        mountApi(
                builder,
                pool,
                new Answering(runner, turnstile, metrics, options.tellRoutes()),
                metrics);
        mountGrpc(
                builder,
                pool,
                metrics,
                new GenerationService(runner, metrics, doorkeeper, turnstile));
        builder.errorHandler(new ErrorPages());
        builder.decorator(inner -> new Door(doorkeeper, inner));
        builder.decorator(metrics::measuredRequest);
        builder.decorator(RequestIds::new);
        if (!options.corsOrigins().isEmpty()) {
            builder.decorator(cors(options.corsOrigins()));
        }
        return builder.build();
    }

    private static void limit(ServerBuilder builder) {
        builder.maxRequestLength(GatewayLimits.MAX_REQUEST_BYTES)
                .requestTimeoutMillis(GatewayLimits.BODY_MILLIS)
                .idleTimeoutMillis(GatewayLimits.IDLE_MILLIS)
                .pingIntervalMillis(GatewayLimits.HTTP2_PING_MILLIS)
                .maxNumConnections(GatewayLimits.MAX_CONNECTIONS)
                .http1MaxHeaderSize(GatewayLimits.MAX_HEADER_BYTES)
                .http2MaxHeaderListSize(GatewayLimits.MAX_HEADER_BYTES)
                .http2MaxStreamsPerConnection(GatewayLimits.MAX_STREAMS_PER_CONNECTION)
                .gracefulShutdownTimeoutMillis(0, 0);
    }

    private static void mountApi(
            ServerBuilder builder, GatewayPool pool, Answering answering, GatewayMetrics metrics) {
        PoolPages pages = new PoolPages(pool);
        StreamShelf shelf = new StreamShelf(answering.runner().timer());
        HeadQuestions heads = new HeadQuestions(answering.runner());
        post(builder, "/v1/chat/completions", new CompletionService(answering, shelf, true));
        post(builder, "/v1/completions", new CompletionService(answering, shelf, false));
        post(builder, "/v1/embeddings", new EmbeddingService(pool, answering, false));
        ResponsesService responses = new ResponsesService(answering);
        post(builder, "/v1/responses", responses);
        builder.service("/v1/responses/{id}", responses::kept);
        get(builder, "/v1/models", (_, _) -> pages.models());
        get(builder, "/v1/models/{id}", (c, _) -> pages.model(String.valueOf(c.pathParam("id"))));
        Turnstile turnstile = answering.turnstile();
        post(builder, "/tokenize", new TokenService(pool, turnstile, heads, false));
        post(builder, "/detokenize", new TokenService(pool, turnstile, heads, true));
        PolicyPage policy = new PolicyPage(pool);
        get(builder, "/v1/policy", (_, _) -> policy.policy());
        get(builder, "/v1/usage", (context, _) -> policy.usage(context));
        mountOllama(builder, pool, answering);
        get(builder, "/health", (_, _) -> pages.ready());
        get(builder, "/health/ready", (_, _) -> pages.ready());
        get(builder, "/health/live", (_, _) -> pages.live());
        get(
                builder,
                "/metrics",
                (_, _) ->
                        HttpResponse.of(
                                MediaType.parse("text/plain; version=0.0.4; charset=utf-8"),
                                metrics.page()));
        get(builder, "/status", (_, _) -> pages.status());
        get(builder, "/", (_, _) -> pages.welcome());
        builder.serviceUnder(
                "/", (_, _) -> OpenAiErrors.plain(404, ErrorPages.NOTHING_HERE, "unknown_path"));
    }

    private static void mountOllama(ServerBuilder builder, GatewayPool pool, Answering answering) {
        post(builder, "/api/chat", new OllamaService(pool, answering, OllamaService.Kind.CHAT));
        post(
                builder,
                "/api/generate",
                new OllamaService(pool, answering, OllamaService.Kind.GENERATE));
        post(builder, "/api/embed", new EmbeddingService(pool, answering, true));
        post(builder, "/api/show", new OllamaService(pool, answering, OllamaService.Kind.SHOW));
        get(builder, "/api/tags", (_, _) -> OllamaModels.tags(pool));
        get(builder, "/api/version", (_, _) -> OllamaModels.version());
    }

    private static void get(ServerBuilder builder, String path, HttpService service) {
        builder.service(path, new OnlyMethod(HttpMethod.GET, service));
    }

    private static void post(ServerBuilder builder, String path, HttpService service) {
        builder.service(path, new OnlyMethod(HttpMethod.POST, service));
    }

    /**
     * Streams of workers live as long as the workers: no time limit, no limit on a whole stream.
     */
    private static void mountGrpc(
            ServerBuilder builder,
            GatewayPool pool,
            GatewayMetrics metrics,
            GenerationService generation) {
        GrpcServiceBuilder services = GrpcService.builder();
        pool.transport()
                .tls()
                .ifPresent(tls -> services.intercept(GatewayTls.gate(tls, metrics::refusedPeer)));
        GrpcService grpc =
                services.addServices(pool.services())
                        .addService(generation)
                        .addService(new AccountsService(pool.gate()))
                        .supportedSerializationFormats(GrpcSerializationFormats.PROTO)
                        .maxRequestMessageLength(GatewayLimits.MAX_GRPC_MESSAGE_BYTES)
                        .maxResponseMessageLength(GatewayLimits.MAX_GRPC_MESSAGE_BYTES)
                        .useBlockingTaskExecutor(true)
                        .build();
        builder.service(
                grpc,
                delegate ->
                        delegate.decorate((inner, context, request) -> {
                            context.clearRequestTimeout();
                            context.setMaxRequestLength(
                                    GatewayTls.maxRequestLength(request.path()));
                            return inner.serve(context, request);
                        }));
    }

    private static Function<? super HttpService, CorsService> cors(List<String> origins) {
        CorsServiceBuilder cors =
                origins.contains(GatewayOptions.ANY_ORIGIN)
                        ? CorsService.builderForAnyOrigin()
                        : CorsService.builder(origins);
        return cors.allowRequestMethods(HttpMethod.GET, HttpMethod.POST, HttpMethod.DELETE)
                .allowAllRequestHeaders(true)
                .exposeHeaders(RateHeaders.NAMES)
                .exposeHeaders(
                        RequestIds.HEADER,
                        "retry-after",
                        RateHeaders.SHOULD_RETRY,
                        Sunset.HEADER,
                        AnswerHeaders.ROUTE,
                        AnswerHeaders.FIRST_TOKEN,
                        AnswerHeaders.DECODE)
                .maxAge(TimeUnit.HOURS.toSeconds(1))
                .newDecorator();
    }
}
