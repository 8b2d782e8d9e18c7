package coop.sahkar.coordinator.gateway;

import java.util.List;

/**
 * How a gateway is set up.
 *
 * @param host address to listen on; loopback unless the operator says otherwise
 * @param port TCP port; 0 picks a free one
 * @param corsOrigins origins whose pages may call the API from a browser; "*" for all, none for
 *     none
 * @param tellRoutes whether answers carry headers that say their route and latency
 * @param patience how long it waits
 */
public record GatewayOptions(
        String host, int port, List<String> corsOrigins, boolean tellRoutes, Patience patience) {
    /** Where a gateway listens if nobody says otherwise. */
    public static final int DEFAULT_PORT = 7311;

    /** Every origin. */
    public static final String ANY_ORIGIN = "*";

    public GatewayOptions {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("not a TCP port: " + port);
        }
        corsOrigins = List.copyOf(corsOrigins);
    }

    /** Loopback, the default port, open to browsers, routes told. */
    public static GatewayOptions defaults() {
        return new GatewayOptions(
                "127.0.0.1", DEFAULT_PORT, List.of(ANY_ORIGIN), true, Patience.DEFAULT);
    }

    /** The same at another address. */
    public GatewayOptions at(String otherHost, int otherPort) {
        return new GatewayOptions(otherHost, otherPort, corsOrigins, tellRoutes, patience);
    }

    /** The same for pages of these origins. */
    public GatewayOptions withCors(List<String> origins) {
        return new GatewayOptions(host, port, origins, tellRoutes, patience);
    }

    /** The same with another patience. */
    GatewayOptions with(Patience other) {
        return new GatewayOptions(host, port, corsOrigins, tellRoutes, other);
    }

    /** The same with or without headers that tell routes. */
    public GatewayOptions withRoutesTold(boolean told) {
        return new GatewayOptions(host, port, corsOrigins, told, patience);
    }
}
