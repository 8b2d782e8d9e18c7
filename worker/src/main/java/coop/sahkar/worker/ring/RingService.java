package coop.sahkar.worker.ring;

import coop.sahkar.proto.tls.Revocations;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/** The links that other workers have dialled. */
final class RingService {
    private final RingOptions options;
    private final SessionDirectory directory;
    private final MessageAdapter adapter;
    private final RingCounters counters;
    private final ScheduledExecutorService scheduler;
    private final LentLinks lent;
    private final Map<String, InboundLink> links = new HashMap<>(); // guarded by itself

    RingService(
            RingOptions options,
            SessionDirectory directory,
            MessageAdapter adapter,
            RingCounters counters,
            ScheduledExecutorService scheduler,
            LentLinks lent) {
        this.options = options;
        this.directory = directory;
        this.adapter = adapter;
        this.counters = counters;
        this.scheduler = scheduler;
        this.lent = lent;
    }

    /** The end of a link for a worker that has dialled. */
    SocketLink link() {
        SocketLink socket = new SocketLink(options, lent);
        new InboundLink(this, socket).begin();
        return socket;
    }

    int helloMillis() {
        return options.dialTimeoutMillis();
    }

    String workerId() {
        return options.workerId();
    }

    MessageAdapter adapter() {
        return adapter;
    }

    RingCounters counters() {
        return counters;
    }

    ScheduledExecutorService scheduler() {
        return scheduler;
    }

    /** Takes note of a link; false when there are too many. A worker's older link ends. */
    boolean enter(String sender, InboundLink link) {
        @Nullable InboundLink older;
        synchronized (links) {
            if (links.size() >= options.maxLinks() && !links.containsKey(sender)) {
                return false;
            }
            older = links.put(sender, link);
        }
        if (older != null) {
            older.replaced();
        }
        return true;
    }

    /** Ends the links of workers whose certificate counts no more. */
    void endRevoked(Revocations revocations) {
        List<InboundLink> open;
        synchronized (links) {
            open = List.copyOf(links.values());
        }
        open.stream().filter(link -> link.isOf(revocations)).forEach(InboundLink::revoked);
    }

    /** Ends all links: this worker is closing. */
    void close() {
        List<InboundLink> open;
        synchronized (links) {
            open = List.copyOf(links.values());
        }
        open.forEach(InboundLink::close);
    }

    /** A link has ended; the stages hear of it. */
    void leave(String sender, InboundLink link, String reason) {
        synchronized (links) {
            links.remove(sender, link);
        }
        counters.brokenLinks.increment();
        directory.peerLost(sender, reason);
    }
}
