package coop.sahkar.worker.relay;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sources of tensors, each at an address that this machine can dial while this is open.
 *
 * @param addresses as {@code Sources} takes them
 * @param doors ports on loopback that lead to relayed workers
 */
public record ReachedSources(List<String> addresses, List<ServerSocket> doors)
        implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReachedSources.class);

    public ReachedSources {
        addresses = List.copyOf(addresses);
        doors = List.copyOf(doors);
    }

    @Override
    public void close() {
        for (ServerSocket door : doors) {
            try {
                door.close();
            } catch (IOException e) {
                LOG.debug("closing a door failed", e);
            }
        }
    }
}
