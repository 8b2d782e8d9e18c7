package coop.sahkar.worker.peers;

import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.PeerGrpc;
import coop.sahkar.proto.v1.PingReply;
import coop.sahkar.proto.v1.PingRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** Pings over gRPC, on connections of their own that are kept while a peer is measured. */
final class GrpcPings implements Pings {
    /** Trips of one measurement; the first may also open the connection. */
    private static final int TRIPS = 4;

    /** A peer that does not answer within this does not answer. */
    private static final long ANSWER_MILLIS = 2_000;

    private static final int MAX_REPLY_BYTES = 1024;
    private static final long IDLE_MINUTES = 2;

    private final TreeMap<String, ManagedChannel> channels = new TreeMap<>();
    private final Transport transport;

    GrpcPings(Transport transport) {
        this.transport = transport;
    }

    @Override
    public OptionalLong roundTripNanos(PeerAddress peer) {
        try {
            ManagedChannel channel = channels.computeIfAbsent(peer.endpoint(), this::channel);
            long least = Long.MAX_VALUE;
            for (int trip = 0; trip < TRIPS; trip++) {
                long sent = System.nanoTime();
                PingReply reply =
                        PeerGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(ANSWER_MILLIS, TimeUnit.MILLISECONDS)
                                .ping(PingRequest.getDefaultInstance());
                least = Math.min(least, System.nanoTime() - sent);
                if (!reply.getWorkerId().equals(peer.workerId())) {
                    return OptionalLong.empty();
                }
            }
            return OptionalLong.of(least);
        } catch (StatusRuntimeException | IllegalArgumentException unreachable) {
            return OptionalLong.empty();
        }
    }

    private ManagedChannel channel(String endpoint) {
        return transport
                .to(endpoint, PeerRule.WORKER)
                .directExecutor()
                .disableRetry()
                .proxyDetector(_ -> null)
                .maxInboundMessageSize(MAX_REPLY_BYTES)
                .idleTimeout(IDLE_MINUTES, TimeUnit.MINUTES)
                .build();
    }

    @Override
    public void keepOnly(List<PeerAddress> peers) {
        List<String> wanted = peers.stream().map(PeerAddress::endpoint).toList();
        for (String endpoint : new ArrayList<>(channels.keySet())) {
            if (!wanted.contains(endpoint)) {
                ManagedChannel channel = channels.remove(endpoint);
                if (channel != null) {
                    channel.shutdownNow();
                }
            }
        }
    }

    @Override
    public void close() {
        keepOnly(List.of());
    }
}
