package coop.sahkar.worker.ring;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.RelayEndpoint;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Revocations;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.worker.engine.Links;
import coop.sahkar.worker.engine.StageInbox;
import coop.sahkar.worker.engine.StageMessage;
import io.grpc.netty.shaded.io.netty.channel.ChannelFuture;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The links this worker dials, one for each peer, made on demand. A peer that was lost is dialled
 * again by the next send, but not before a wait that doubles with each failure, so that a dead peer
 * costs little; sends within the wait are lost, and told as such. Only the word that a session is
 * over is said again later ({@link OwedCloses}), since nobody else frees what it holds there.
 */
final class RingLinks implements Links {
    private static final Logger log = LoggerFactory.getLogger(RingLinks.class);

    private final RingOptions options;
    private final SessionDirectory directory;
    private final RingCounters counters;
    private final ScheduledExecutorService scheduler;
    private final LongSupplier nanoClock;
    private final RingLoop loop;
    private final RelayPath relay;
    private final Transport transport;
    private final LentLinks lent;
    private final WarmPath warmPath;
    private final Map<PeerAddress, Peer> peers = new HashMap<>(); // guarded by itself
    private boolean closed; // guarded by peers

    /** A peer's link, and how dialling it went. */
    private static final class Peer {
        @Nullable OutboundLink link;
        int failures;
        long notBeforeNanos;
        String lastReason = "";
        final OwedCloses closes = new OwedCloses();
        boolean sayingAgain;

        /** Whether the link was dialled ahead and nothing was sent to the peer since. */
        boolean ahead;

        boolean waits() {
            return ahead && link != null;
        }
    }

    /**
     * @param nanoClock as {@link System#nanoTime}
     * @param relay the way to workers that can't be dialled
     * @param transport whether links are encrypted
     */
    RingLinks(
            RingOptions options,
            SessionDirectory directory,
            RingCounters counters,
            ScheduledExecutorService scheduler,
            LongSupplier nanoClock,
            RingLoop loop,
            LentLinks lent,
            RelayPath relay,
            Transport transport) {
        this.options = options;
        this.directory = directory;
        this.counters = counters;
        this.scheduler = scheduler;
        this.nanoClock = nanoClock;
        this.loop = loop;
        this.relay = relay;
        this.transport = transport;
        transport
                .tls()
                .ifPresent(tls -> tls.revocations().onChange(() -> endRevoked(tls.revocations())));
        this.lent = lent;
        this.warmPath = new WarmPath(scheduler, nanoClock);
    }

    @Override
    public void send(RouteStage to, StageMessage message) {
        if (message instanceof StageMessage.Close close) {
            directory.forget(close.session(), close.epoch());
        }
        PeerAddress address = PeerAddress.of(to);
        OutboundLink link = null;
        String reason = "";
        boolean dial = false;
        synchronized (peers) {
            if (closed) {
                return;
            }
            Peer peer = peer(address);
            if (peer != null) {
                peer.ahead = false;
            }
            if (peer == null) {
                reason = "this worker has as many links as it may";
            } else if (peer.link != null) {
                link = peer.link;
            } else if (nanoClock.getAsLong() - peer.notBeforeNanos < 0) {
                reason = "it was lost a moment ago (" + peer.lastReason + ")";
            } else {
                link = begin(address, peer);
                dial = true;
            }
            if (peer != null && message instanceof StageMessage.Close close) {
                peer.closes.said(close, nanoClock.getAsLong());
                if (link == null) {
                    sayAgain(address, peer);
                }
            }
        }
        if (link == null) {
            directory.peerLost(address.workerId(), reason);
            return;
        }
        link.send(message);
        if (dial) {
            dialOnScheduler(link);
        }
    }

    @Override
    public HiddenCodec codec(RouteStage to) {
        OutboundLink link = known(to);
        return link == null ? HiddenCodec.F32 : link.codec();
    }

    @Override
    public boolean backedUp(RouteStage to) {
        OutboundLink link = known(to);
        return link != null && link.backedUp();
    }

    private @Nullable OutboundLink known(RouteStage to) {
        synchronized (peers) {
            Peer peer = peers.get(PeerAddress.of(to));
            return peer == null ? null : peer.link;
        }
    }

    /** Dials a peer that something may soon be sent to, unless a relay is needed. */
    void dialAhead(PeerAddress address) {
        if (RelayEndpoint.relayed(address.endpoint())) {
            return; // a relay asks for the ticket of a session
        }
        OutboundLink link;
        synchronized (peers) {
            long ahead = peers.values().stream().filter(Peer::waits).count();
            Peer peer = closed || ahead >= RingOptions.MAX_LINKS_AHEAD ? null : peer(address);
            if (peer == null
                    || peer.link != null
                    || nanoClock.getAsLong() - peer.notBeforeNanos < 0) {
                return;
            }
            link = begin(address, peer);
            peer.ahead = true;
        }
        dialOnScheduler(link);
    }

    /** Dials a peer again that may not have heard which sessions are over. */
    private void dialOwing(PeerAddress address) {
        OutboundLink link;
        synchronized (peers) {
            Peer peer = closed ? null : peers.get(address);
            if (peer == null) {
                return;
            }
            peer.sayingAgain = false;
            if (peer.link != null || peer.closes.due(nanoClock.getAsLong()).isEmpty()) {
                return;
            }
            link = begin(address, peer);
            peer.ahead = true;
        }
        dialOnScheduler(link);
    }

    /** A new link, on which the peer is first told what it may not have heard. */
    private OutboundLink begin(PeerAddress address, Peer peer) {
        OutboundLink link = new OutboundLink(address, options, counters, this::broken);
        peer.link = link;
        peer.closes.due(nanoClock.getAsLong()).forEach(link::send);
        return link;
    }

    private @Nullable Peer peer(PeerAddress address) {
        Peer known = peers.get(address);
        if (known != null) {
            return known;
        }
        if (peers.size() >= options.maxLinks()) {
            peers.values().removeIf(peer -> peer.link == null);
        }
        if (peers.size() >= options.maxLinks()) {
            return null;
        }
        Peer fresh = new Peer();
        fresh.notBeforeNanos = nanoClock.getAsLong();
        peers.put(address, fresh);
        return fresh;
    }

    // Dialling may load classes and look names up: not on the engine's thread.
    private void dialOnScheduler(OutboundLink link) {
        try {
            scheduler.execute(() -> dial(link));
            var _ =
                    scheduler.schedule(
                            link::dialTimedOut, options.dialTimeoutMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            link.fail("this worker is closing");
        }
    }

    private void dial(OutboundLink link) {
        if (RelayEndpoint.relayed(link.peer().endpoint())) {
            dialThroughRelay(link);
            return;
        }
        InetSocketAddress address = link.peer().socketAddress().orElse(null);
        if (address == null) {
            link.fail("its endpoint is not of the form host:port");
            return;
        }
        InetAddress found;
        try {
            found = InetAddress.getByName(address.getHostString());
        } catch (UnknownHostException e) {
            link.fail("its host name is unknown: " + address.getHostString());
            return;
        }
        List<HiddenCodec> codecs =
                found.isLoopbackAddress() ? options.loopbackCodecs() : options.remoteCodecs();
        link.dial(loop, lent, new InetSocketAddress(found, address.getPort()), codecs, tls(link));
    }

    /** Only the worker that is meant may answer. */
    private @Nullable SslContext tls(OutboundLink link) {
        PeerRule expected = PeerRule.worker(link.peer().workerId());
        return transport.tls().map(tls -> tls.dialling(expected)).orElse(null);
    }

    /** Ends the links to workers whose certificate counts no more. */
    private void endRevoked(Revocations revocations) {
        List<OutboundLink> open = new ArrayList<>();
        synchronized (peers) {
            peers.values().stream().map(peer -> peer.link).forEach(link -> addIfAny(open, link));
        }
        open.stream()
                .filter(link -> link.isTo(revocations))
                .forEach(link -> link.fail("its certificate is revoked"));
    }

    private void dialThroughRelay(OutboundLink link) {
        String worker = link.peer().workerId();
        RelayEndpoint endpoint = RelayEndpoint.read(link.peer().endpoint()).orElse(null);
        SealedTicket ticket = directory.ticketNaming(worker);
        if (endpoint == null || !endpoint.workerId().equals(worker)) {
            link.fail("its endpoint is not of the form relay://host:port/" + worker);
        } else if (ticket == null) {
            link.fail("no session here names it, so that a relay would not connect it");
        } else {
            try {
                link.dial(
                        loop,
                        lent,
                        relay.open(endpoint, ticket),
                        options.remoteCodecs(),
                        tls(link));
            } catch (IOException e) {
                link.fail(String.valueOf(e.getMessage()));
            }
        }
    }

    @Override
    public boolean poll(StageInbox engine) {
        return lent.poll(engine);
    }

    @Override
    public void rest(StageInbox engine) {
        lent.takeBack(engine);
    }

    @Override
    public void rehearse() {
        warmPath.pass();
    }

    private void broken(OutboundLink link, String reason) {
        log.info("Lost {}: {}", link.peer(), reason);
        boolean unused = false;
        synchronized (peers) {
            Peer peer = peers.get(link.peer());
            if (peer != null && peer.link == link) {
                unused = peer.ahead && !link.wasOpen();
                peer.link = null;
                peer.failures = link.wasOpen() ? 1 : peer.failures + 1;
                peer.notBeforeNanos = nanoClock.getAsLong() + backoffNanos(peer.failures);
                peer.lastReason = reason;
                sayAgain(link.peer(), peer);
            }
        }
        if (!unused) {
            directory.peerLost(link.peer().workerId(), reason);
        }
    }

    /** Has a lost peer dialled again if it may not have heard which sessions are over. */
    private void sayAgain(PeerAddress address, Peer peer) {
        long now = nanoClock.getAsLong();
        boolean relayed = RelayEndpoint.relayed(address.endpoint());
        if (closed || relayed || peer.sayingAgain || peer.closes.due(now).isEmpty()) {
            return;
        }
        peer.sayingAgain = true;
        long waitNanos = Math.max(0, peer.notBeforeNanos - now);
        try {
            var _ = scheduler.schedule(() -> dialOwing(address), waitNanos, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            log.debug("This worker is closing; {} is told nothing more", address);
        }
    }

    private static long backoffNanos(int failures) {
        long doubled = RingOptions.FIRST_BACKOFF_MILLIS << Math.min(failures - 1, 10);
        return TimeUnit.MILLISECONDS.toNanos(Math.min(doubled, RingOptions.MAX_BACKOFF_MILLIS));
    }

    /** Ends all links in order; nothing is sent any more. */
    void close() {
        List<OutboundLink> open = new ArrayList<>();
        synchronized (peers) {
            closed = true;
            peers.values().stream().map(peer -> peer.link).forEach(link -> addIfAny(open, link));
            peers.clear();
        }
        List<ChannelFuture> channels = new ArrayList<>();
        for (OutboundLink link : open) {
            ChannelFuture channel = link.close();
            if (channel != null) {
                channels.add(channel);
            }
        }
        channels.forEach(RingLinks::await);
    }

    private static void addIfAny(List<OutboundLink> links, @Nullable OutboundLink link) {
        if (link != null) {
            links.add(link);
        }
    }

    private static void await(ChannelFuture closed) {
        try {
            if (!closed.await(RingOptions.CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
                var _ = closed.channel().close();
            }
        } catch (InterruptedException e) {
            var _ = closed.channel().close();
            Thread.currentThread().interrupt();
        }
    }
}
