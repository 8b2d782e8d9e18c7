package coop.sahkar.worker.ring;

import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.bootstrap.Bootstrap;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
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

    /** Dials; what becomes of it is told to the link's owner. */
    void dial(InetSocketAddress address, int timeoutMillis, SocketLink link, Dialled dialled) {
        var _ =
                new Bootstrap()
                        .group(group)
                        .channelFactory(RingSocket::new)
                        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMillis)
                        .option(ChannelOption.AUTO_READ, false)
                        .handler(link)
                        .connect(address)
                        .addListener(done -> dialled.done(done.cause()));
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
