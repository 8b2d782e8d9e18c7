package coop.sahkar.worker.ring;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.PeerGate;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.HeadGrpc;
import coop.sahkar.proto.v1.PeerGrpc;
import io.grpc.BindableService;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What listens at the worker's port: links of other workers, and gRPC services. Pings run on the
 * network's own threads, so that they measure the way and not a hand-over; every other service runs
 * on threads that may wait.
 */
public final class RingServer implements AutoCloseable {
    private final Server server;
    private final ExecutorService pool;

    private RingServer(Server server, ExecutorService pool) {
        this.server = server;
        this.pool = pool;
    }

    /**
     * Starts serving.
     *
     * @param bind where; port 0 picks a free one
     * @param transport whether connections are encrypted, and who may come in
     * @throws IOException in a sentence, when the address cannot be had
     */
    static RingServer start(
            RingOptions options,
            RingLoop loop,
            Supplier<SocketLink> links,
            InetSocketAddress bind,
            List<BindableService> services,
            Transport transport,
            RingCounters counters)
            throws IOException {
        ExecutorService pool =
                Executors.newCachedThreadPool(
                        Thread.ofPlatform().daemon().name("ring-service-", 0).factory());
        NettyServerBuilder builder =
                loop.serving(NettyServerBuilder.forAddress(bind))
                        .executor(pool)
                        .callExecutor(new PingsDirect())
                        .protocolNegotiator(new FirstBytes(links, transport, counters))
                        .handshakeTimeout(options.dialTimeoutMillis(), TimeUnit.MILLISECONDS)
                        .maxInboundMessageSize(Limits.MAX_MESSAGE_BYTES)
                        .maxInboundMetadataSize(RingOptions.MAX_METADATA_BYTES)
                        .maxConcurrentCallsPerConnection(RingOptions.MAX_CALLS_PER_CONNECTION)
                        .flowControlWindow(RingOptions.FLOW_CONTROL_WINDOW_BYTES)
                        .keepAliveTime(options.keepAliveMillis(), TimeUnit.MILLISECONDS)
                        .keepAliveTimeout(options.keepAliveTimeoutMillis(), TimeUnit.MILLISECONDS)
                        .permitKeepAliveTime(1, TimeUnit.SECONDS)
                        .permitKeepAliveWithoutCalls(true);
        transport.tls().ifPresent(tls -> builder.intercept(gate(tls, counters)));
        services.forEach(builder::addService);
        try {
            return new RingServer(builder.build().start(), pool);
        } catch (IOException e) {
            pool.shutdown();
            throw new IOException(
                    "The worker cannot listen on %s (%s); choose another address or port."
                            .formatted(bind, e.getMessage()),
                    e);
        }
    }

    private static PeerGate gate(NodeTls tls, RingCounters counters) {
        return new PeerGate(
                tls,
                call -> call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION),
                Map.of(
                        HeadGrpc.SERVICE_NAME, PeerRule.COORDINATOR,
                        PeerGrpc.SERVICE_NAME, PeerRule.WORKER),
                Set.of(),
                PeerRule.any(Role.WORKER, Role.COORDINATOR),
                counters.refusedPeers::increment);
    }

    /** The port it listens on. */
    public int port() {
        return server.getPort();
    }

    /** Takes no new calls, gives running ones a moment, then ends them. */
    @Override
    public void close() {
        server.shutdown();
        try {
            if (!server.awaitTermination(RingOptions.CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
                server.shutdownNow()
                        .awaitTermination(RingOptions.CLOSE_MILLIS, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        } finally {
            pool.shutdown();
        }
    }

    private static final class PingsDirect implements ServerCallExecutorSupplier {
        private static final String PING = PeerGrpc.getPingMethod().getFullMethodName();

        @Override
        public <Q, A> @Nullable Executor getExecutor(ServerCall<Q, A> call, Metadata headers) {
            String method = call.getMethodDescriptor().getFullMethodName();
            return method.equals(PING) ? Runnable::run : null;
        }
    }
}
