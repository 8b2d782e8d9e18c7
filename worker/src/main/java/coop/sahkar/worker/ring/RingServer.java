package coop.sahkar.worker.ring;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.PeerGrpc;
import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
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
     * @throws IOException in a sentence, when the address cannot be had
     */
    static RingServer start(
            RingOptions options,
            RingLoop loop,
            Supplier<SocketLink> links,
            InetSocketAddress bind,
            List<BindableService> services)
            throws IOException {
        ExecutorService pool =
                Executors.newCachedThreadPool(
                        Thread.ofPlatform().daemon().name("ring-service-", 0).factory());
        NettyServerBuilder builder =
                loop.serving(NettyServerBuilder.forAddress(bind))
                        .executor(pool)
                        .callExecutor(new PingsDirect())
                        .protocolNegotiator(new FirstBytes(links))
                        .handshakeTimeout(options.dialTimeoutMillis(), TimeUnit.MILLISECONDS)
                        .maxInboundMessageSize(Limits.MAX_MESSAGE_BYTES)
                        .maxInboundMetadataSize(RingOptions.MAX_METADATA_BYTES)
                        .maxConcurrentCallsPerConnection(RingOptions.MAX_CALLS_PER_CONNECTION)
                        .flowControlWindow(RingOptions.FLOW_CONTROL_WINDOW_BYTES)
                        .keepAliveTime(options.keepAliveMillis(), TimeUnit.MILLISECONDS)
                        .keepAliveTimeout(options.keepAliveTimeoutMillis(), TimeUnit.MILLISECONDS)
                        .permitKeepAliveTime(1, TimeUnit.SECONDS)
                        .permitKeepAliveWithoutCalls(true);
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
