package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Connections to heads, one for each worker at its endpoint, the least recently used dropped when
 * there are too many. Dropping lets the calls of a connection end first. Thread-safe.
 */
final class HeadChannels implements AutoCloseable {
    private final LinkedHashMap<Peer, HeadLine> byPeer = new LinkedHashMap<>(16, 0.75f, true);
    private final HeadLoops loops = new HeadLoops();
    private final Transport transport;
    private boolean closed;

    private record Peer(String workerId, String endpoint) {}

    /**
     * @param transport how heads are dialled
     */
    HeadChannels(Transport transport) {
        this.transport = transport;
    }

    /**
     * The connection to a head; made without waiting.
     *
     * @param workerId whose head is expected there
     * @param endpoint {@code host:port}
     * @throws IllegalArgumentException if it is not one
     */
    synchronized HeadLine to(String workerId, String endpoint) {
        if (closed) {
            throw new IllegalStateException("the gateway is closed");
        }
        Peer peer = new Peer(workerId, endpoint);
        HeadLine known = byPeer.get(peer);
        if (known != null) {
            return known;
        }
        HeadLine made = new HeadLine(connect(peer), loops);
        byPeer.put(peer, made);
        if (byPeer.size() > GatewayLimits.MAX_HEAD_CHANNELS) {
            byPeer.pollFirstEntry().getValue().shutdown();
        }
        return made;
    }

    /** Forgets a connection that failed, so that the next call does not wait out its back-off. */
    synchronized void drop(String workerId, String endpoint) {
        HeadLine failed = byPeer.remove(new Peer(workerId, endpoint));
        if (failed != null) {
            failed.shutdown();
        }
    }

    @Override
    public void close() {
        List<HeadLine> open;
        synchronized (this) {
            closed = true;
            open = new ArrayList<>(byPeer.values());
            byPeer.clear();
        }
        open.forEach(HeadLine::shutdownNow);
        loops.close();
    }

    private ManagedChannel connect(Peer peer) {
        String endpoint = peer.endpoint();
        if (endpoint.length() > Limits.MAX_ENDPOINT) {
            throw new IllegalArgumentException("an endpoint is too long");
        }
        int colon = endpoint.lastIndexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException("not host:port: " + endpoint);
        }
        String host = endpoint.substring(0, colon).replace("[", "").replace("]", "");
        int port = Integer.parseInt(endpoint, colon + 1, endpoint.length(), 10);
        return transport
                .secure(
                        loops.carrying(NettyChannelBuilder.forAddress(host, port)),
                        PeerRule.worker(peer.workerId()))
                .proxyDetector(_ -> null)
                .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, GatewayLimits.HEAD_CONNECT_MILLIS)
                .flowControlWindow(GatewayLimits.HEAD_WINDOW_BYTES)
                .maxInboundMessageSize(GatewayLimits.MAX_EVENT_BYTES)
                .keepAliveTime(GatewayLimits.HEAD_PING_SECONDS, TimeUnit.SECONDS)
                .keepAliveTimeout(GatewayLimits.HEAD_PING_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .idleTimeout(GatewayLimits.HEAD_IDLE_SECONDS, TimeUnit.SECONDS)
                .disableRetry()
                .build();
    }
}
