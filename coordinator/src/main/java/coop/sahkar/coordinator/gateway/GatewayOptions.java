package coop.sahkar.coordinator.gateway;

/**
 * How a gateway is set up.
 *
 * @param host address to listen on; loopback unless the operator says otherwise
 * @param port TCP port; 0 picks a free one
 * @param cors whether pages of any origin may call the API from a browser
 * @param patience how long it waits
 */
public record GatewayOptions(String host, int port, boolean cors, Patience patience) {
    /** Where a gateway listens if nobody says otherwise. */
    public static final int DEFAULT_PORT = 7311;

    public GatewayOptions {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("not a TCP port: " + port);
        }
    }

    /** Loopback, the default port, open to browsers. */
    public static GatewayOptions defaults() {
        return new GatewayOptions("127.0.0.1", DEFAULT_PORT, true, Patience.DEFAULT);
    }

    /** The same at another address. */
    public GatewayOptions at(String otherHost, int otherPort) {
        return new GatewayOptions(otherHost, otherPort, cors, patience);
    }
}
