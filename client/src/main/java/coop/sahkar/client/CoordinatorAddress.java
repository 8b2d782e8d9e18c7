package coop.sahkar.client;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Where a coordinator listens.
 *
 * @param host name or address; IPv6 without brackets
 * @param port 1 to 65535
 */
public record CoordinatorAddress(String host, int port) {
    /** Where a coordinator listens unless told otherwise. */
    public static final int DEFAULT_PORT = 7311;

    public CoordinatorAddress {
        if (host.isBlank() || port < 1 || port > 65_535) {
            throw new IllegalArgumentException("not a coordinator's address: " + host + ":" + port);
        }
    }

    /**
     * Reads {@code http://host:port}, {@code host:port} or {@code host}.
     *
     * @throws IllegalArgumentException in a sentence, if it is none of these
     */
    public static CoordinatorAddress parse(String text) {
        String trimmed = text.strip();
        if (trimmed.toLowerCase(Locale.ROOT).startsWith("https://")) {
            throw new IllegalArgumentException(
                    "%s: write host:port, and name the co-operative's certificate (ca.pem) beside it, which makes the connection encrypted"
                            .formatted(trimmed));
        }
        try {
            URI uri = new URI(trimmed.contains("://") ? trimmed : "http://" + trimmed);
            String path = uri.getPath();
            boolean plain = "http".equalsIgnoreCase(uri.getScheme());
            if (plain && uri.getHost() != null && (path.isEmpty() || path.equals("/"))) {
                String host = uri.getHost().replaceAll("^\\[|]$", "");
                return new CoordinatorAddress(
                        host, uri.getPort() == -1 ? DEFAULT_PORT : uri.getPort());
            }
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw notAnAddress(text, e);
        }
        throw notAnAddress(text, null);
    }

    private static IllegalArgumentException notAnAddress(String text, @Nullable Exception cause) {
        return new IllegalArgumentException(
                "\"%s\" is not a coordinator's address; write host:port or http://host:port"
                        .formatted(text),
                cause);
    }

    /** {@code host:port}, with brackets round an IPv6 address. */
    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
