package coop.sahkar.client.pool;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.stub.MetadataUtils;
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

    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private static final int CLOSE_SECONDS = 2;

    /**
     * @param key shown with every call; empty for none
     * @param transport in the open, or encrypted
     */
    static CoordinatorChannel to(
            CoordinatorAddress address, Duration connectTimeout, String key, Transport transport) {
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
                        .intercept(MetadataUtils.newAttachHeadersInterceptor(headers(key)))
                        .build();
        return new CoordinatorChannel(address, channel);
    }

    private static Metadata headers(String key) {
        Metadata headers = new Metadata();
        if (!key.isEmpty()) {
            headers.put(AUTHORIZATION, "Bearer " + key);
        }
        return headers;
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
