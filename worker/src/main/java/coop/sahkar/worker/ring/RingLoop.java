package coop.sahkar.worker.ring;

import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.SelectStrategy;
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollSocketChannel;
import io.grpc.netty.shaded.io.netty.util.IntSupplier;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import org.jspecify.annotations.Nullable;

/**
 * The one network thread of a worker's links.
 *
 * <p>A thread that sleeps takes 70 to 250 µs to wake on a processor that went idle, three times a
 * hop, and while one session's tokens go round a ring of near neighbours that is most of what a hop
 * costs. So while they follow each other closely, the thread looks for the next one instead of
 * sleeping. Across a wide network, where they do not, it sleeps as usual; so it does on machines
 * with few processors, and where there is no epoll.
 */
final class RingLoop implements AutoCloseable {
    /** Messages closer together than this are waited for awake, for as long as this. */
    private static final long AWAKE_NANOS = 12_000_000;

    /** With fewer processors, staying awake would take one from whoever computes. */
    private static final int LEAST_PROCESSORS = 4;

    private final @Nullable EventLoopGroup group;

    /**
     * Read by the network thread, written by it and by the engines' threads; a race is harmless.
     */
    private volatile long lastNanos = System.nanoTime() - AWAKE_NANOS;

    private volatile long awakeUntilNanos = lastNanos;

    RingLoop() {
        boolean stays = Runtime.getRuntime().availableProcessors() >= LEAST_PROCESSORS;
        group =
                stays && Epoll.isAvailable()
                        ? new MultiThreadIoEventLoopGroup(
                                1,
                                new DefaultThreadFactory("ring-network", true),
                                EpollIoHandler.newFactory(0, () -> this::next))
                        : null;
    }

    /**
     * A message came or goes.
     *
     * @param alone whether it carries one token's worth, so that the ring waits for nothing else;
     *     where many sessions or a prompt are under way, processors are better used to compute
     */
    void touched(boolean alone) {
        long now = System.nanoTime();
        awakeUntilNanos = alone && now - lastNanos < AWAKE_NANOS ? now + AWAKE_NANOS : now;
        lastNanos = now;
    }

    @SuppressWarnings("ThreadPriorityCheck") // lets whoever computes have the processor
    private int next(IntSupplier select, boolean hasTasks) throws Exception {
        if (hasTasks) {
            return select.get();
        }
        if (System.nanoTime() - awakeUntilNanos >= 0) {
            return SelectStrategy.SELECT;
        }
        int ready = select.get();
        if (ready > 0) {
            return ready;
        }
        Thread.yield();
        return SelectStrategy.CONTINUE;
    }

    NettyServerBuilder serving(NettyServerBuilder builder) {
        return group == null
                ? builder
                : builder.bossEventLoopGroup(group)
                        .workerEventLoopGroup(group)
                        .channelType(EpollServerSocketChannel.class);
    }

    NettyChannelBuilder dialling(NettyChannelBuilder builder) {
        return group == null
                ? builder
                : builder.eventLoopGroup(group).channelType(EpollSocketChannel.class);
    }

    @Override
    public void close() {
        if (group != null) {
            var _ = group.shutdownGracefully();
        }
    }
}
