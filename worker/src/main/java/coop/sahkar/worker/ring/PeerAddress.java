package coop.sahkar.worker.ring;

import coop.sahkar.proto.RouteStage;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;

/**
 * Whom a link goes to. A worker that came back on another port is another peer.
 *
 * @param endpoint {@code host:port}, or that of a relay
 */
record PeerAddress(String workerId, String endpoint) {
    static PeerAddress of(RouteStage stage) {
        return new PeerAddress(stage.workerId(), stage.endpoint());
    }

    /** The unresolved socket address, or empty when the endpoint is not {@code host:port}. */
    Optional<InetSocketAddress> socketAddress() {
        try {
            URI uri = new URI("ring://" + endpoint).parseServerAuthority();
            if (uri.getHost() == null || uri.getPort() < 1 || uri.getPort() > 0xffff) {
                return Optional.empty();
            }
            return Optional.of(InetSocketAddress.createUnresolved(host(uri), uri.getPort()));
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    private static String host(URI uri) {
        String host = uri.getHost();
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    /** As sentences name it. */
    @Override
    public String toString() {
        return "worker " + workerId + " at " + endpoint;
    }
}
