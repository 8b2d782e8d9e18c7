package coop.sahkar.worker.ring;

import coop.sahkar.proto.PoolClock;
import coop.sahkar.proto.tls.Revocations;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.worker.engine.Links;
import io.grpc.BindableService;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.PublicKey;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** This worker's place in the ring: links out, links in, and the sessions that use them. */
public final class Ring implements AutoCloseable {
    private final RingOptions options;
    private final Transport transport;
    private final RingCounters counters = new RingCounters();
    private final SessionDirectory directory;
    private final RingLoop loop = new RingLoop();
    private final LentLinks lent = new LentLinks();
    private final RingLinks links;
    private final ScheduledExecutorService scheduler;
    private final RingService service;
    private @Nullable RingServer server;

    /**
     * @param keys public key of a ticket's key id, or null when it is not known
     * @param relay the way to workers that can't be dialled
     * @param transport how links are made
     * @param clock tickets expire by it, and sessions of which nothing is heard
     */
    public Ring(
            RingOptions options,
            Function<String, @Nullable PublicKey> keys,
            RelayPath relay,
            Transport transport,
            PoolClock clock) {
        this.options = options;
        this.transport = transport;
        this.directory = new SessionDirectory(options, keys, clock);
        this.scheduler =
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name("ring-timer").factory());
        this.links =
                new RingLinks(
                        options,
                        directory,
                        counters,
                        scheduler,
                        System::nanoTime,
                        loop,
                        lent,
                        relay,
                        transport);
        this.service =
                new RingService(
                        options,
                        directory,
                        new MessageAdapter(options.workerId(), directory, links, counters),
                        counters,
                        scheduler,
                        lent);
        transport.tls().ifPresent(tls -> watch(tls.revocations()));
    }

    private void watch(Revocations revocations) {
        revocations.onChange(() -> service.endRevoked(revocations));
    }

    /**
     * Listens for other workers.
     *
     * @param bind where; port 0 picks a free one
     * @param others further services to host on the same port
     */
    public RingServer listen(InetSocketAddress bind, List<BindableService> others)
            throws IOException {
        RingServer started =
                RingServer.start(options, loop, service::link, bind, others, transport, counters);
        server = started;
        var _ =
                scheduler.scheduleWithFixedDelay(
                        directory::sweep,
                        RingOptions.SWEEP_MILLIS,
                        RingOptions.SWEEP_MILLIS,
                        TimeUnit.MILLISECONDS);
        return started;
    }

    /** Where shards are entered and sessions found. */
    public SessionDirectory directory() {
        return directory;
    }

    /** The way out for this worker's engines. */
    public Links links() {
        return links;
    }

    /**
     * Dials a worker that stages here may soon send to: a session saved from a lost one need not
     * wait for that. A worker that does not answer is no news to anybody.
     */
    public void dialAhead(String workerId, String endpoint) {
        links.dialAhead(new PeerAddress(workerId, endpoint));
    }

    public RingCounters counters() {
        return counters;
    }

    /** Ends all links, those out in order, and stops listening. */
    @Override
    public void close() {
        links.close();
        service.close();
        if (server != null) {
            server.close();
        }
        scheduler.shutdownNow();
        loop.close();
    }
}
