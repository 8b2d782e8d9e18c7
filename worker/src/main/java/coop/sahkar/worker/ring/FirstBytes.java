package coop.sahkar.worker.ring;

import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.tls.Transport;
import io.grpc.netty.shaded.io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.shaded.io.grpc.netty.InternalProtocolNegotiator;
import io.grpc.netty.shaded.io.grpc.netty.InternalProtocolNegotiators;
import io.grpc.netty.shaded.io.netty.buffer.ByteBuf;
import io.grpc.netty.shaded.io.netty.buffer.Unpooled;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandler;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import io.grpc.netty.shaded.io.netty.channel.ChannelPipeline;
import io.grpc.netty.shaded.io.netty.util.AsciiString;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tells links from gRPC's connections by their first bytes, so that both come in at one port. It
 * stands where gRPC agrees on a protocol; encryption stands before it ({@link Handshakes}).
 */
final class FirstBytes implements InternalProtocolNegotiator.ProtocolNegotiator {
    private final InternalProtocolNegotiator.ProtocolNegotiator grpc =
            InternalProtocolNegotiators.serverPlaintext();
    private final Supplier<SocketLink> links;
    private final @Nullable Handshakes handshakes;

    /**
     * @param links makes the end of a link for a worker that has dialled
     * @param transport whether the bytes are encrypted
     */
    FirstBytes(Supplier<SocketLink> links, Transport transport, RingCounters counters) {
        this.links = links;
        this.handshakes =
                transport
                        .tls()
                        .map(tls ->
                                new Handshakes(
                                        tls.serving(PeerRule.any(Role.WORKER, Role.COORDINATOR)),
                                        counters))
                        .orElse(null);
    }

    @Override
    public AsciiString scheme() {
        return grpc.scheme();
    }

    @Override
    public ChannelHandler newHandler(GrpcHttp2ConnectionHandler handler) {
        return handshakes == null
                ? new Reader(handler, null)
                : handshakes.before(event -> new Reader(handler, event));
    }

    @Override
    public void close() {
        grpc.close();
    }

    private final class Reader extends ChannelInboundHandlerAdapter {
        private final GrpcHttp2ConnectionHandler handler;
        private ByteBuf seen = Unpooled.EMPTY_BUFFER;
        private @Nullable Object event;

        /**
         * @param event gRPC's own beginning, where that has come already
         */
        Reader(GrpcHttp2ConnectionHandler handler, @Nullable Object event) {
            this.handler = handler;
            this.event = event;
        }

        /** Only gRPC's own beginning comes here; it is told to gRPC when it is its turn. */
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object beginning) {
            event = beginning;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            seen = Unpooled.wrappedBuffer(seen, (ByteBuf) message);
            int compared = Math.min(seen.readableBytes(), SocketLink.PREFACE.length);
            for (int i = 0; i < compared; i++) {
                if (seen.getByte(seen.readerIndex() + i) != SocketLink.PREFACE[i]) {
                    become(ctx, grpc.newHandler(handler));
                    return;
                }
            }
            if (compared == SocketLink.PREFACE.length) {
                seen.skipBytes(compared);
                ChannelPipeline pipeline = ctx.pipeline();
                while (pipeline.last() != this) {
                    pipeline.removeLast();
                }
                become(ctx, links.get());
            }
        }

        private void become(ChannelHandlerContext ctx, ChannelHandler next) {
            ByteBuf rest = seen;
            seen = Unpooled.EMPTY_BUFFER;
            ChannelPipeline pipeline = ctx.pipeline();
            pipeline.addAfter(ctx.name(), null, next);
            if (event != null) {
                ctx.fireUserEventTriggered(event);
            }
            ctx.fireChannelRead(rest);
            ctx.fireChannelReadComplete();
            pipeline.remove(this);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) throws Exception {
            seen.release();
            seen = Unpooled.EMPTY_BUFFER;
            super.channelInactive(ctx);
        }
    }
}
