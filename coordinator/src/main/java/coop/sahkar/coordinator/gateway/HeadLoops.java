package coop.sahkar.coordinator.gateway;

import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.grpc.netty.shaded.io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The network's threads of the connections to heads. Thread-safe. */
final class HeadLoops implements AutoCloseable {
    private static final int THREADS = Math.min(4, Runtime.getRuntime().availableProcessors());

    /** What is due later runs only after sockets were looked at once more. */
    private static final long LOOK_MILLIS = 1;

    private final boolean epoll = Epoll.isAvailable();
    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(
                    THREADS,
                    new DefaultThreadFactory("gateway-heads", true),
                    epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());

    NettyChannelBuilder carrying(NettyChannelBuilder builder) {
        return builder.eventLoopGroup(group)
                .channelType(epoll ? EpollSocketChannel.class : NioSocketChannel.class);
    }

    /**
     * Runs something once each thread has done what lies before it by now: however late this
     * process is, that is how late.
     */
    void whenCaughtUp(Runnable then) {
        AtomicInteger behind = new AtomicInteger(THREADS);
        Runnable passed =
                () -> {
                    if (behind.decrementAndGet() == 0) {
                        then.run();
                    }
                };
        for (EventExecutor loop : group) {
            try {
                var _ = loop.schedule(passed, LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException _) {
                passed.run(); // the gateway closes
            }
        }
    }

    @Override
    public void close() {
        var _ = group.shutdownGracefully();
    }
}
