package coop.sahkar.worker.store;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.tls.Transport;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens the sources that a model's list names. */
public final class Sources {
    private static final Logger LOG = LoggerFactory.getLogger(Sources.class);
    private static final int MAX_SOURCES = 64;

    private Sources() {}

    /**
     * What is wrong with an address, in a sentence; empty if a worker could fetch from it.
     *
     * @param address {@code sahkar://host:port}, {@code http://…} or {@code https://…}
     */
    public static Optional<String> problem(String address) {
        String wanted = "; it should read sahkar://host:port, http://… or https://…";
        if (address.length() > Limits.MAX_ENDPOINT) {
            return Optional.of("a source is longer than " + Limits.MAX_ENDPOINT + " characters");
        }
        try {
            URI uri = new URI(address);
            boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            boolean node = "sahkar".equals(uri.getScheme()) && uri.getPort() > 0;
            return (web || node) && uri.getHost() != null
                    ? Optional.empty()
                    : Optional.of("\"" + address + "\" is not a source" + wanted);
        } catch (URISyntaxException e) {
            return Optional.of("\"" + address + "\" is not a source" + wanted);
        }
    }

    /** Opens those that can be used; the others are logged. */
    static List<Source> open(List<String> addresses, FetchPolicy policy, Transport transport) {
        List<Source> opened = new ArrayList<>();
        for (String address : addresses.stream().distinct().limit(MAX_SOURCES).toList()) {
            Optional<String> problem = problem(address);
            if (problem.isPresent()) {
                LOG.warn("{}; it is left out", problem.get());
            } else if (address.startsWith(WorkerSource.SCHEME)) {
                opened.add(new WorkerSource(address, policy.stallMillis(), transport));
            } else {
                opened.add(new HttpSource(address, policy.stallMillis()));
            }
        }
        return opened;
    }
}
