package coop.sahkar.worker.ring;

import com.google.protobuf.InvalidProtocolBufferException;
import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.tls.NodeName;
import coop.sahkar.proto.tls.Revocations;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.v1.HiddenCodecMessage;
import coop.sahkar.proto.v1.LinkHello;
import coop.sahkar.proto.v1.LinkReply;
import coop.sahkar.proto.v1.LinkWelcome;
import coop.sahkar.proto.v1.RingMessage;
import coop.sahkar.worker.engine.StageInbox;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One link that another worker dialled, from its hello to its end. One message is read at a time:
 * while a stage's mailbox is full nothing more is asked for, so that TCP holds the sender back.
 */
final class InboundLink implements SocketLink.Owner {
    private static final Logger log = LoggerFactory.getLogger(InboundLink.class);

    private final RingService service;
    private final SocketLink socket;
    private final Queue<Delivery> undelivered = new ArrayDeque<>(); // guarded by this
    private @Nullable HiddenCodec codec;
    private volatile @Nullable StageInbox borrower;
    private volatile @Nullable String sender;
    private boolean ended; // guarded by this

    InboundLink(RingService service, SocketLink socket) {
        this.service = service;
        this.socket = socket;
    }

    /** Asks for the hello. */
    void begin() {
        socket.own(this);
        socket.request();
        try {
            var _ =
                    service.scheduler()
                            .schedule(
                                    this::requireHello,
                                    service.helloMillis(),
                                    TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            socket.abort(); // this worker is closing
        }
    }

    private void requireHello() {
        if (sender == null) {
            socket.abort();
        }
    }

    @Override
    public void onMessage(byte[] bytes) {
        try {
            RingMessage message = read(bytes);
            HiddenCodec agreed = codec;
            String from = sender;
            if (agreed == null || from == null) {
                hello(message);
                socket.request();
                return;
            }
            List<Delivery> deliveries = service.adapter().read(message, from, agreed);
            service.counters().received.increment();
            borrower = borrowerOf(deliveries);
            synchronized (this) {
                undelivered.addAll(deliveries);
            }
            deliver();
        } catch (LinkViolation violation) {
            refuse(violation.problem());
        }
    }

    /** Garbage reads as an empty message, so that its sender is refused as for any violation. */
    private static RingMessage read(byte[] bytes) {
        try {
            return RingMessage.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            return RingMessage.getDefaultInstance();
        }
    }

    /** The stage that all of a message went to, if it was one token's worth. */
    private static @Nullable StageInbox borrowerOf(List<Delivery> deliveries) {
        boolean lone = deliveries.size() == 1 && deliveries.getFirst().message().alone();
        return lone ? deliveries.getFirst().inbox() : null;
    }

    private void hello(RingMessage message) throws LinkViolation {
        if (!message.hasHello()) {
            throw new LinkViolation("A link begins with a hello.");
        }
        LinkHello hello = message.getHello();
        String id = hello.getWorkerId();
        if (id.isEmpty() || id.length() > Limits.MAX_WORKER_ID) {
            throw new LinkViolation(
                    "A worker's id has 1 to %d characters.".formatted(Limits.MAX_WORKER_ID));
        }
        Optional<Problem> versions = ProtocolVersions.check(hello.getProtocol(), "worker " + id);
        if (versions.isPresent()) {
            throw new LinkViolation(versions.get());
        }
        requireOwn(id);
        HiddenCodec chosen = choose(hello.getCodecsList());
        if (!service.enter(id, this)) {
            throw new LinkViolation(
                    Problem.Kind.OVERLOADED,
                    "Worker %s has as many links as it takes.".formatted(service.workerId()));
        }
        codec = chosen;
        sender = id;
        socket.send(
                LinkReply.newBuilder()
                        .setWelcome(
                                LinkWelcome.newBuilder()
                                        .setProtocol(ProtocolVersions.ours())
                                        .setWorkerId(service.workerId())
                                        .setCodec(Wire.toWire(chosen)))
                        .build());
    }

    /** Where certificates are shown, a worker speaks for itself only. */
    private void requireOwn(String id) throws LinkViolation {
        NodeName shown = socket.peer().orElse(null);
        if (shown != null && !(shown.role() == Role.WORKER && shown.id().equals(id))) {
            throw new LinkViolation(
                    Problem.Kind.UNAUTHORIZED,
                    "Whoever says to be worker %s showed the certificate of %s."
                            .formatted(id, shown));
        }
    }

    private static HiddenCodec choose(List<HiddenCodecMessage> offered) throws LinkViolation {
        for (HiddenCodecMessage candidate : offered) {
            Optional<HiddenCodec> known = Wire.fromWire(candidate);
            if (known.isPresent()) {
                return known.get();
            }
        }
        throw new LinkViolation("None of the codecs offered is known here; offer F32 or F16.");
    }

    /** Hands over what was read; asks for more once all of it is taken. */
    private void deliver() {
        synchronized (this) {
            while (!ended && !undelivered.isEmpty()) {
                if (!undelivered.peek().offer()) {
                    service.counters().fullMailboxes.increment();
                    deliverLater();
                    return;
                }
                undelivered.remove();
            }
            if (ended) {
                return;
            }
        }
        socket.request();
    }

    private void deliverLater() {
        try {
            var _ =
                    service.scheduler()
                            .schedule(
                                    this::deliver,
                                    RingOptions.OFFER_AGAIN_MILLIS,
                                    TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            undelivered.clear(); // this worker is closing
        }
    }

    /** Ends the link because the peer broke the protocol. */
    private void refuse(Problem problem) {
        log.info("Link refused: {}", problem.message());
        service.counters().violations.increment();
        socket.send(LinkReply.newBuilder().setRefused(Wire.toWire(problem)).build());
        var _ = socket.finish();
        end(problem.message());
    }

    /** Whether it is the link of a worker whose certificate counts no more. */
    boolean isOf(Revocations revocations) {
        return socket.peer().filter(revocations::revoked).isPresent();
    }

    /** The worker's certificate counts no more. */
    void revoked() {
        socket.abort();
        end("its certificate is revoked");
    }

    /** A newer link from the same worker takes this one's place. */
    void replaced() {
        socket.abort();
        end("it dialled anew");
    }

    @Override
    public void onReady() {
        // Replies are few and small.
    }

    @Override
    public void onViolation(LinkViolation violation) {
        refuse(violation.problem());
    }

    @Override
    public void onEnd(String reason) {
        end(reason);
    }

    @Override
    public @Nullable StageInbox borrower() {
        StageInbox engine = borrower;
        return engine != null && engine.attentive() ? engine : null;
    }

    /** Ends the link in order, since this worker closes. */
    void close() {
        var _ = socket.finish();
        end("this worker closes");
    }

    private void end(String reason) {
        synchronized (this) {
            if (ended) {
                return;
            }
            ended = true;
            undelivered.clear();
        }
        String id = sender;
        if (id != null) {
            service.leave(id, this, reason);
        }
    }
}
