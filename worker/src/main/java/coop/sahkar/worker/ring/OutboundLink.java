package coop.sahkar.worker.ring;

import com.google.protobuf.InvalidProtocolBufferException;
import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.tls.Revocations;
import coop.sahkar.proto.v1.LinkHello;
import coop.sahkar.proto.v1.LinkReply;
import coop.sahkar.proto.v1.LinkWelcome;
import coop.sahkar.proto.v1.RingMessage;
import coop.sahkar.worker.engine.StageInbox;
import coop.sahkar.worker.engine.StageMessage;
import io.grpc.netty.shaded.io.netty.channel.ChannelFuture;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One dialled link, from the dial to the break; never used again after that. Messages wait in a
 * bounded queue until the peer has welcomed the link, and while the network takes no more.
 */
final class OutboundLink {
    /** Where a link stands. */
    private enum State {
        /** The peer has not answered the hello yet; messages wait. */
        DIALLING,
        /** The peer has welcomed the link and said in which codec frames travel. */
        OPEN,
        /** It is over; nothing is sent any more. */
        BROKEN
    }

    private final PeerAddress peer;
    private final RingOptions options;
    private final RingCounters counters;
    private final BiConsumer<OutboundLink, String> onBroken;

    // All below: guarded by this.
    private final Queue<StageMessage> queue = new ArrayDeque<>();
    private long queuedBytes;
    private State state = State.DIALLING;
    private HiddenCodec codec = HiddenCodec.F32;
    private List<HiddenCodec> offered = List.of();
    private boolean welcomed;
    private @Nullable SocketLink socket;

    /**
     * @param onBroken told once, with the reason, when the link breaks by itself
     */
    OutboundLink(
            PeerAddress peer,
            RingOptions options,
            RingCounters counters,
            BiConsumer<OutboundLink, String> onBroken) {
        this.peer = peer;
        this.options = options;
        this.counters = counters;
        this.onBroken = onBroken;
    }

    PeerAddress peer() {
        return peer;
    }

    /** In which codec frames travel; F32 until the peer has said. */
    synchronized HiddenCodec codec() {
        return codec;
    }

    /** Whether messages wait. */
    synchronized boolean backedUp() {
        return !queue.isEmpty();
    }

    /** Whether the peer ever welcomed the link. */
    synchronized boolean wasOpen() {
        return welcomed;
    }

    /**
     * Dials and says hello.
     *
     * @param tls encrypts the link; null in the open
     */
    void dial(
            RingLoop loop,
            LentLinks lent,
            InetSocketAddress address,
            List<HiddenCodec> codecs,
            @Nullable SslContext tls) {
        SocketLink link = new SocketLink(options, lent);
        synchronized (this) {
            if (state != State.DIALLING) {
                return;
            }
            offered = codecs;
        }
        link.own(new Connection());
        loop.dial(
                address, options.dialTimeoutMillis(), tls, link, failure -> dialled(link, failure));
    }

    private void dialled(SocketLink link, @Nullable Throwable failure) {
        if (failure != null) {
            fail(String.valueOf(failure.getMessage()));
            return;
        }
        LinkHello.Builder hello =
                LinkHello.newBuilder()
                        .setProtocol(ProtocolVersions.ours())
                        .setWorkerId(options.workerId());
        synchronized (this) {
            if (state != State.DIALLING) {
                link.abort();
                return;
            }
            socket = link;
            offered.forEach(offer -> hello.addCodecs(Wire.toWire(offer)));
        }
        link.sendPreface();
        link.send(RingMessage.newBuilder().setHello(hello).build());
        link.request();
    }

    /** Sends or queues; does nothing on a broken link, whose breaking was told already. */
    void send(StageMessage message) {
        String overflow;
        synchronized (this) {
            switch (state) {
                case BROKEN -> {
                    return;
                }
                case OPEN -> {
                    if (queue.isEmpty() && socket != null && socket.ready()) {
                        write(message);
                        return;
                    }
                }
                case DIALLING -> {}
            }
            overflow = enqueue(message);
        }
        if (overflow != null) {
            fail(overflow);
        }
    }

    private @Nullable String enqueue(StageMessage message) {
        long bytes = MessagePublisher.queuedBytes(message);
        if (queue.size() >= options.maxQueuedMessages()
                || queuedBytes + bytes > options.maxQueuedBytes()) {
            return "%d messages (%d bytes) wait for it, which is as much as may"
                    .formatted(queue.size(), queuedBytes);
        }
        queue.add(message);
        queuedBytes += bytes;
        return null;
    }

    private void write(StageMessage message) {
        if (socket != null) {
            socket.send(MessagePublisher.toWire(message, codec));
            counters.sent.increment();
        }
    }

    private synchronized void drain() {
        while (state == State.OPEN && !queue.isEmpty() && socket != null && socket.ready()) {
            StageMessage message = queue.remove();
            queuedBytes -= MessagePublisher.queuedBytes(message);
            write(message);
        }
    }

    /** Breaks the link if the peer has not welcomed it. */
    void dialTimedOut() {
        boolean waiting;
        synchronized (this) {
            waiting = state == State.DIALLING;
        }
        if (waiting) {
            fail("it did not answer within %d ms".formatted(options.dialTimeoutMillis()));
        }
    }

    /** Whether it goes to a worker whose certificate counts no more. */
    boolean isTo(Revocations revocations) {
        SocketLink link = socket();
        return link != null && link.peer().filter(revocations::revoked).isPresent();
    }

    /** Breaks the link and tells. */
    void fail(String reason) {
        if (end()) {
            counters.brokenLinks.increment();
            abandon();
            onBroken.accept(this, reason);
        }
    }

    /** Ends the link in order: what is on its way still arrives. Tells nobody. */
    @Nullable ChannelFuture close() {
        if (!end()) {
            return null;
        }
        SocketLink link = socket();
        return link == null ? null : link.finish();
    }

    private synchronized boolean end() {
        if (state == State.BROKEN) {
            return false;
        }
        state = State.BROKEN;
        queue.clear();
        queuedBytes = 0;
        return true;
    }

    private void abandon() {
        SocketLink dead = socket();
        if (dead != null) {
            dead.abort();
        }
    }

    private void welcomed(LinkWelcome welcome) {
        Optional<Problem> versions = ProtocolVersions.check(welcome.getProtocol(), peer.toString());
        Optional<HiddenCodec> chosen = Wire.fromWire(welcome.getCodec());
        if (versions.isPresent()) {
            fail(versions.get().message());
        } else if (!welcome.getWorkerId().equals(peer.workerId())) {
            fail("another worker answers there: " + shortened(welcome.getWorkerId()));
        } else if (chosen.isEmpty() || !offered.contains(chosen.get())) {
            fail("it chose a codec that was not offered");
        } else {
            synchronized (this) {
                if (state != State.DIALLING) {
                    return;
                }
                state = State.OPEN;
                welcomed = true;
                codec = chosen.get();
            }
            drain();
        }
    }

    private static String shortened(String text) {
        return text.substring(0, Math.min(text.length(), 64));
    }

    /** What happens on the connection. */
    private final class Connection implements SocketLink.Owner {
        @Override
        public void onMessage(byte[] bytes) {
            LinkReply reply;
            try {
                reply = LinkReply.parseFrom(bytes);
            } catch (InvalidProtocolBufferException e) {
                reply = LinkReply.getDefaultInstance();
            }
            switch (reply.getMessageCase()) {
                case WELCOME -> welcomed(reply.getWelcome());
                case REFUSED -> fail("it refused the link: " + reply.getRefused().getMessage());
                case MESSAGE_NOT_SET -> fail("it answered in a way not known here");
            }
            SocketLink link = socket();
            if (link != null) {
                link.request();
            }
        }

        @Override
        public void onReady() {
            drain();
        }

        @Override
        public void onViolation(LinkViolation violation) {
            fail("it answered in a way not known here: " + violation.getMessage());
        }

        @Override
        public void onEnd(String reason) {
            fail(reason);
        }

        @Override
        public @Nullable StageInbox borrower() {
            return null; // nothing but the welcome is read here
        }
    }

    private synchronized @Nullable SocketLink socket() {
        return socket;
    }
}
