package coop.sahkar.proto;

import java.util.Optional;

/**
 * Where a worker that can't be dialled is reached: {@code relay://host:port/worker}.
 *
 * @param coordinator the coordinator that relays, {@code host:port}
 * @param workerId the worker behind it
 */
public record RelayEndpoint(String coordinator, String workerId) {
    private static final String SCHEME = "relay://";

    /** Whether an endpoint of a route leads through a relay. */
    public static boolean relayed(String endpoint) {
        return endpoint.startsWith(SCHEME);
    }

    /** Reads an endpoint of a route; empty when it is not one of a relay. */
    public static Optional<RelayEndpoint> read(String endpoint) {
        int slash = endpoint.lastIndexOf('/');
        if (!relayed(endpoint) || slash <= SCHEME.length() || slash == endpoint.length() - 1) {
            return Optional.empty();
        }
        return Optional.of(
                new RelayEndpoint(
                        endpoint.substring(SCHEME.length(), slash), endpoint.substring(slash + 1)));
    }

    /** As routes have it. */
    @Override
    public String toString() {
        return SCHEME + coordinator + "/" + workerId;
    }
}
