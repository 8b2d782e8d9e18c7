package coop.sahkar.worker.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.tls.Transport;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Over real sockets. */
class PeerMeterTest {
    private static final int OFTEN_MILLIS = 1_000;
    private final Map<String, SortedMap<String, Integer>> told = new ConcurrentHashMap<>();

    @Test
    void measuresPeersAndNoticesThoseThatAreGone() throws Exception {
        Server peer = serve("there");
        PeerAddress there = new PeerAddress("there", "127.0.0.1:" + peer.getPort());
        PeerAddress other = new PeerAddress("else", "127.0.0.1:" + peer.getPort());
        PeerAddress wrong = new PeerAddress("wrong", "no endpoint");
        try (PeerMeter meter = new PeerMeter(told::put, Transport.OPEN)) {
            meter.wanted("c", List.of(there, other, wrong), OFTEN_MILLIS);
            await().atMost(30, TimeUnit.SECONDS)
                    .untilAsserted(() ->
                            assertThat(told.get("c"))
                                    .containsEntry("else", PeerBook.UNREACHABLE)
                                    .containsEntry("wrong", PeerBook.UNREACHABLE)
                                    .hasEntrySatisfying(
                                            "there",
                                            micros -> assertThat(micros).isBetween(1, 1_000_000)));
            peer.shutdownNow();
            await().atMost(30, TimeUnit.SECONDS)
                    .untilAsserted(() ->
                            assertThat(told.get("c")).containsEntry("there", PeerBook.UNREACHABLE));
        } finally {
            peer.shutdownNow();
        }
    }

    private static Server serve(String workerId) throws Exception {
        return NettyServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(new PingService(workerId))
                .build()
                .start();
    }
}
