package coop.sahkar.worker.ring;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.LinkHello;
import coop.sahkar.proto.v1.LinkReply;
import coop.sahkar.proto.v1.LinkWelcome;
import coop.sahkar.proto.v1.RingGrpc;
import coop.sahkar.proto.v1.RingMessage;
import coop.sahkar.worker.engine.StageMessage;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
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
    private @Nullable ManagedChannel channel;
    private @Nullable ClientCallStreamObserver<RingMessage> call;

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

    /** Whether the peer ever welcomed the link. */
    synchronized boolean wasOpen() {
        return welcomed;
    }

    /** Starts the call and says hello. */
    void dial(ManagedChannel dialled, List<HiddenCodec> codecs) {
        synchronized (this) {
            if (state != State.DIALLING) {
                dialled.shutdownNow();
                return;
            }
            channel = dialled;
            offered = codecs;
        }
        var _ = RingGrpc.newStub(dialled).link(new Replies());
        LinkHello.Builder hello =
                LinkHello.newBuilder()
                        .setProtocol(ProtocolVersions.ours())
                        .setWorkerId(options.workerId());
        codecs.forEach(offer -> hello.addCodecs(Wire.toWire(offer)));
        synchronized (this) {
            if (call != null && state == State.DIALLING) {
                call.onNext(RingMessage.newBuilder().setHello(hello).build());
            }
        }
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
                    if (queue.isEmpty() && call != null && call.isReady()) {
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
        if (call != null) {
            call.onNext(MessagePublisher.toWire(message, codec));
            counters.sent.increment();
        }
    }

    private synchronized void drain() {
        while (state == State.OPEN && !queue.isEmpty() && call != null && call.isReady()) {
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

    /** Breaks the link and tells. */
    void fail(String reason) {
        if (end()) {
            counters.brokenLinks.increment();
            abandon(reason);
            onBroken.accept(this, reason);
        }
    }

    /** Ends the link in order: what is on its way still arrives. Tells nobody. */
    @Nullable ManagedChannel close() {
        if (!end()) {
            return null;
        }
        synchronized (this) {
            if (call != null) {
                call.onCompleted();
            }
            return channel == null ? null : channel.shutdown();
        }
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

    private void abandon(String reason) {
        ManagedChannel dead;
        synchronized (this) {
            dead = channel;
            if (call != null) {
                call.cancel(reason, null);
            }
        }
        if (dead != null) {
            dead.shutdownNow();
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

    /** What the peer says back. Called by gRPC, one call at a time. */
    private final class Replies implements ClientResponseObserver<RingMessage, LinkReply> {
        @Override
        public void beforeStart(ClientCallStreamObserver<RingMessage> stream) {
            synchronized (OutboundLink.this) {
                call = stream;
            }
            stream.setOnReadyHandler(OutboundLink.this::drain);
        }

        @Override
        public void onNext(LinkReply reply) {
            switch (reply.getMessageCase()) {
                case WELCOME -> welcomed(reply.getWelcome());
                case REFUSED -> fail("it refused the link: " + reply.getRefused().getMessage());
                case MESSAGE_NOT_SET -> fail("it answered in a way not known here");
            }
        }

        @Override
        public void onError(Throwable error) {
            fail(reason(error));
        }

        @Override
        public void onCompleted() {
            fail("it closed the link");
        }
    }

    /** The root of the matter: gRPC's own text says little ("io exception"). */
    private static String reason(Throwable error) {
        Status status = Status.fromThrowable(error);
        Throwable cause = status.getCause();
        while (cause != null && cause.getCause() != null) {
            cause = cause.getCause();
        }
        String root = cause == null ? null : cause.getMessage();
        String description = status.getDescription();
        String text = root != null ? root : description != null ? description : "";
        return status.getCode() + (text.isEmpty() ? "" : ": " + text);
    }
}
