package coop.sahkar.worker.ring;

import coop.sahkar.proto.tls.NodeTls;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.bootstrap.Bootstrap;
import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.ChannelInitializer;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslHandler;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** The one network thread of a worker: its links, and whatever else comes in at its port. */
final class RingLoop implements AutoCloseable {
    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(
                    1, new DefaultThreadFactory("ring-network", true), NioIoHandler.newFactory());

    NettyServerBuilder serving(NettyServerBuilder builder) {
        return builder.bossEventLoopGroup(group)
                .workerEventLoopGroup(group)
                .channelFactory(RingSocket.Server::new);
    }

    /**
     * Dials; what becomes of it is told to the link's owner.
     *
     * @param tls encrypts the link; null in the open
     */
    void dial(
            InetSocketAddress address,
            int timeoutMillis,
            @Nullable SslContext tls,
            SocketLink link,
            Dialled dialled) {
        var _ =
                new Bootstrap()
                        .group(group)
                        .channelFactory(RingSocket::new)
                        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMillis)
                        .option(ChannelOption.AUTO_READ, false)
                        .handler(tls == null ? link : new Encrypted(tls, link))
                        .connect(address)
                        .addListener(done -> dialled.done(done.cause()));
    }

    /** Puts encryption before a link; what is sent meanwhile waits for the handshake. */
    private static final class Encrypted extends ChannelInitializer<Channel> {
        private final SslContext tls;
        private final SocketLink link;

        Encrypted(SslContext tls, SocketLink link) {
            this.tls = tls;
            this.link = link;
        }

        @Override
        protected void initChannel(Channel channel) {
            SslHandler handler = tls.newHandler(channel.alloc(), Handshakes.THREADS);
            handler.setHandshakeTimeoutMillis(NodeTls.HANDSHAKE_MILLIS);
            channel.pipeline().addLast(handler, link);
        }
    }

    /** Hears how dialling went. */
    @FunctionalInterface
    interface Dialled {
        /**
         * It stands or has failed.
         *
         * @param failure why not; null when the connection stands
         */
        void done(@Nullable Throwable failure);
    }

    @Override
    public void close() {
        var _ = group.shutdownGracefully();
    }
}
