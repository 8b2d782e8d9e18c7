package coop.sahkar.coordinator.gateway;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.CombinedChannelDuplexHandler;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;

/**
 * Answers requests that offer an upgrade to HTTP/2 in HTTP/1.1, as RFC 9113 lets servers do; who
 * begins in HTTP/2, as gRPC does, is served in HTTP/2. The JDK's client offers it with its first
 * requests; where that was accepted, replies of several frames now and then broke off (one in some
 * thousand on a busy machine).
 *
 * <p>The server makes its HTTP/1.1 codec, and behind it what would accept, when it has seen the
 * first four bytes. So it is shown these alone, and what comes next meets a handler in between.
 */
final class NoUpgrade extends ChannelInboundHandlerAdapter {
    private static final int TELLING_BYTES = 4;

    private int shown;

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (!(message instanceof ByteBuf bytes)) {
            ctx.fireChannelRead(message);
            return;
        }
        int first = Math.min(bytes.readableBytes(), TELLING_BYTES - shown);
        shown += first;
        ByteBuf telling = bytes.readRetainedSlice(first);
        ctx.fireChannelRead(telling);
        if (shown == TELLING_BYTES) {
            ChannelPipeline pipeline = ctx.pipeline();
            ChannelHandlerContext codec = pipeline.context(CombinedChannelDuplexHandler.class);
            if (codec != null) {
                pipeline.addAfter(codec.name(), null, new Unheard());
            }
            pipeline.remove(this);
        }
        if (bytes.isReadable()) {
            ctx.fireChannelRead(bytes);
        } else {
            bytes.release();
        }
    }

    /** Takes the offer out of requests. */
    private static final class Unheard extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (message instanceof HttpRequest request) {
                request.headers().remove(HttpHeaderNames.UPGRADE);
            }
            ctx.fireChannelRead(message);
        }
    }
}
