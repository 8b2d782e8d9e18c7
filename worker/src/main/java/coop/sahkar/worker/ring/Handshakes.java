package coop.sahkar.worker.ring;

import coop.sahkar.proto.tls.HalfOpen;
import coop.sahkar.proto.tls.NodeTls;
import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.netty.shaded.io.grpc.netty.InternalProtocolNegotiationEvent;
import io.grpc.netty.shaded.io.grpc.netty.ProtocolNegotiationEvent;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandler;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslHandler;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.SocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets whoever dials show a certificate before anything else is read. Handshakes under way are
 * bounded in number and time, and computed on threads of their own, so that strangers who begin
 * many hold up no link that stands.
 */
final class Handshakes {
    /** Where the arithmetic of handshakes runs; threads go when there is none. */
    static final ExecutorService THREADS = threads();

    private static final Logger log = LoggerFactory.getLogger(Handshakes.class);

    private final SslContext tls;
    private final RingCounters counters;
    private final HalfOpen halfOpen = new HalfOpen();

    Handshakes(SslContext tls, RingCounters counters) {
        this.tls = tls;
        this.counters = counters;
    }

    private static ExecutorService threads() {
        int most = Math.max(2, Runtime.getRuntime().availableProcessors() / 2);
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(
                        most,
                        most,
                        10,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(),
                        Thread.ofPlatform().daemon().name("tls-handshake-", 0).factory());
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /**
     * What stands in front until the handshake is done.
     *
     * @param then makes what takes its place, from gRPC's own beginning with the peer's session
     */
    ChannelHandler before(Function<@Nullable Object, ChannelHandler> then) {
        return new Gate(then);
    }

    private final class Gate extends ChannelInboundHandlerAdapter {
        private final Function<@Nullable Object, ChannelHandler> then;
        private @Nullable ProtocolNegotiationEvent beginning;
        private @Nullable SocketAddress counted;

        Gate(Function<@Nullable Object, ChannelHandler> then) {
            this.then = then;
        }

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            SocketAddress from = ctx.channel().remoteAddress();
            if (!halfOpen.entered(from)) {
                counters.refusedPeers.increment();
                var _ = ctx.close();
                return;
            }
            counted = from;
            SslHandler handler = tls.newHandler(ctx.alloc(), THREADS);
            handler.setHandshakeTimeoutMillis(NodeTls.HANDSHAKE_MILLIS);
            ctx.pipeline().addBefore(ctx.name(), null, handler);
        }

        @Override
        public void handlerRemoved(ChannelHandlerContext ctx) {
            done();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            done();
            ctx.fireChannelInactive();
        }

        private void done() {
            SocketAddress from = counted;
            if (from != null) {
                counted = null;
                halfOpen.left(from);
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof ProtocolNegotiationEvent own) {
                beginning = own;
            } else if (event instanceof SslHandshakeCompletionEvent handshake) {
                if (handshake.isSuccess()) {
                    open(ctx);
                } else {
                    counters.refusedPeers.increment();
                    log.info("A handshake failed: {}", handshake.cause().getMessage());
                    var _ = ctx.close();
                }
            } else {
                ctx.fireUserEventTriggered(event);
            }
        }

        private void open(ChannelHandlerContext ctx) {
            ProtocolNegotiationEvent own = beginning;
            SslHandler handler = ctx.pipeline().get(SslHandler.class);
            if (own != null && handler != null) {
                Attributes known =
                        InternalProtocolNegotiationEvent.getAttributes(own).toBuilder()
                                .set(Grpc.TRANSPORT_ATTR_SSL_SESSION, handler.engine().getSession())
                                .build();
                own = InternalProtocolNegotiationEvent.withAttributes(own, known);
            }
            ctx.pipeline().replace(this, null, then.apply(own));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            log.debug("A handshake broke", cause);
            var _ = ctx.close();
        }
    }
}
