package coop.sahkar.client.pool;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A connection to one coordinator, made when it is first used.
 *
 * @param address where
 * @param channel gRPC's side of it
 */
record CoordinatorChannel(CoordinatorAddress address, ManagedChannel channel) {
    /** A silent connection is probed this often while an answer is awaited. */
    private static final int KEEP_ALIVE_SECONDS = 20;

    /** A probe not answered for this long ends the connection. */
    private static final int KEEP_ALIVE_TIMEOUT_SECONDS = 10;

    private static final int CLOSE_SECONDS = 2;

    static CoordinatorChannel to(
            CoordinatorAddress address, Duration connectTimeout, Transport transport) {
        ManagedChannel channel =
                transport
                        .secure(
                                NettyChannelBuilder.forAddress(address.host(), address.port()),
                                PeerRule.COORDINATOR)
                        .withOption(
                                ChannelOption.CONNECT_TIMEOUT_MILLIS,
                                (int) connectTimeout.toMillis())
                        .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
                        .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                        .build();
        return new CoordinatorChannel(address, channel);
    }

    void close() {
        channel.shutdownNow();
        try {
            channel.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
