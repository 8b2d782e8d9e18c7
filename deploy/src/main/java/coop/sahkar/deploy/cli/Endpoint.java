package coop.sahkar.deploy.cli;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A place to listen at.
 *
 * @param host name or address; IPv6 without brackets
 * @param port 0 picks a free one
 */
record Endpoint(String host, int port) {

    /** Whether only this machine can reach it. */
    boolean loopback() {
        try {
            return Arrays.stream(InetAddress.getAllByName(host))
                    .allMatch(InetAddress::isLoopbackAddress);
        } catch (UnknownHostException e) {
            return false;
        }
    }

    InetSocketAddress socket() {
        return new InetSocketAddress(host, port);
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }

    /**
     * Reads {@code HOST:PORT}.
     *
     * @throws TypeConversionException in a sentence, if it is none
     */
    static Endpoint parse(String text) {
        return new Converter().convert(text);
    }

    /** Reads {@code HOST:PORT}. */
    static final class Converter implements ITypeConverter<Endpoint> {
        @Override
        public Endpoint convert(String text) {
            int colon = text.lastIndexOf(':');
            if (colon > 0) {
                try {
                    int port = Integer.parseInt(text.substring(colon + 1));
                    String host = text.substring(0, colon).replaceAll("^\\[|]$", "");
                    if (port >= 0 && port <= 65_535 && !host.isBlank()) {
                        return new Endpoint(host, port);
                    }
                } catch (NumberFormatException e) {
                    throw notOne(text, e);
                }
            }
            throw notOne(text, null);
        }

        private static TypeConversionException notOne(String text, @Nullable Exception cause) {
            TypeConversionException wrong =
                    new TypeConversionException(
                            "'" + text + "' is not HOST:PORT, for example 127.0.0.1:7311");
            if (cause != null) {
                wrong.initCause(cause);
            }
            return wrong;
        }
    }
}
