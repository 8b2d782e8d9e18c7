package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.tls.HalfOpen;
import coop.sahkar.proto.tls.NodeTls;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.SocketAddress;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Hangs up on connections whose handshake takes too long, and on those for which there is no room.
 * It goes to the end of the pipeline, where it hears how the handshake went.
 */
final class HalfOpenGate extends ChannelInboundHandlerAdapter {
    private final HalfOpen halfOpen;
    private final Runnable onRefusal;

    HalfOpenGate(HalfOpen halfOpen, Runnable onRefusal) {
        this.halfOpen = halfOpen;
        this.onRefusal = onRefusal;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        SocketAddress from = ctx.channel().remoteAddress();
        if (!halfOpen.entered(from)) {
            onRefusal.run();
            var _ = ctx.close();
            return;
        }
        ctx.pipeline().addLast(new Watch(from));
        ctx.fireChannelActive();
        ctx.pipeline().remove(this);
    }

    private final class Watch extends ChannelInboundHandlerAdapter {
        private final SocketAddress from;
        private @Nullable Future<?> limit;
        private boolean done;

        Watch(SocketAddress from) {
            this.from = from;
        }

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            limit =
                    ctx.executor()
                            .schedule(
                                    () -> refuse(ctx),
                                    NodeTls.HANDSHAKE_MILLIS,
                                    TimeUnit.MILLISECONDS);
        }

        private void refuse(ChannelHandlerContext ctx) {
            onRefusal.run();
            done();
            var _ = ctx.close();
        }

        private void done() {
            if (!done) {
                done = true;
                halfOpen.left(from);
                if (limit != null) {
                    limit.cancel(false);
                }
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof SslHandshakeCompletionEvent handshake) {
                if (handshake.isSuccess()) {
                    done();
                } else {
                    refuse(ctx);
                }
            }
            ctx.fireUserEventTriggered(event);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            done();
            ctx.fireChannelInactive();
        }
    }
}
