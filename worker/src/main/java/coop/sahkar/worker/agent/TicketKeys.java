package coop.sahkar.worker.agent;

import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.v1.TicketKey;
import java.security.PublicKey;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that sign session tickets, as the coordinators name them. A key stays known while any
 * attached coordinator names it. Safe for use by many threads.
 */
final class TicketKeys implements Function<String, @Nullable PublicKey> {
    private static final Logger LOG = LoggerFactory.getLogger(TicketKeys.class);
    private static final int MAX_KEYS = 64;

    private final Map<String, Map<String, PublicKey>> byCoordinator = new ConcurrentHashMap<>();

    /** Takes the keys that a coordinator says are valid, in place of those it said before. */
    void replace(String coordinator, List<TicketKey> wire) {
        Map<String, PublicKey> keys = new LinkedHashMap<>();
        for (TicketKey key : wire.subList(0, Math.min(MAX_KEYS, wire.size()))) {
            try {
                keys.put(key.getKeyId(), Tickets.publicKey(key.getPublicKey().toByteArray()));
            } catch (IllegalArgumentException e) {
                LOG.warn("{} sent a ticket key that is none: {}", coordinator, e.getMessage());
            }
        }
        byCoordinator.put(coordinator, keys);
    }

    @Override
    public @Nullable PublicKey apply(String keyId) {
        for (Map<String, PublicKey> keys : byCoordinator.values()) {
            PublicKey key = keys.get(keyId);
            if (key != null) {
                return key;
            }
        }
        return null;
    }
}
