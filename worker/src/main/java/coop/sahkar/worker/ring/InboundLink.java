package coop.sahkar.worker.ring;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.HiddenCodecMessage;
import coop.sahkar.proto.v1.LinkHello;
import coop.sahkar.proto.v1.LinkReply;
import coop.sahkar.proto.v1.LinkWelcome;
import coop.sahkar.proto.v1.RingMessage;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
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
 * while a stage's mailbox is full nothing more is asked for, so that HTTP/2's flow control holds
 * the sender back.
 */
final class InboundLink implements StreamObserver<RingMessage> {
    private static final Logger log = LoggerFactory.getLogger(InboundLink.class);

    private final RingService service;
    private final ServerCallStreamObserver<LinkReply> reply;
    private final Queue<Delivery> undelivered = new ArrayDeque<>(); // guarded by this
    private @Nullable HiddenCodec codec;
    private volatile @Nullable String sender;
    private boolean ended; // guarded by this

    InboundLink(RingService service, ServerCallStreamObserver<LinkReply> reply) {
        this.service = service;
        this.reply = reply;
    }

    /** Asks for the hello. */
    void begin() {
        reply.disableAutoRequest();
        reply.setOnCancelHandler(() -> end("the connection broke"));
        reply.setOnCloseHandler(() -> end("the call ended"));
        reply.request(1);
    }

    @Override
    public void onNext(RingMessage message) {
        try {
            HiddenCodec agreed = codec;
            String from = sender;
            if (agreed == null || from == null) {
                hello(message);
                reply.request(1);
                return;
            }
            List<Delivery> deliveries = service.adapter().read(message, from, agreed);
            service.loop().touched(alone(message));
            service.counters().received.increment();
            synchronized (this) {
                undelivered.addAll(deliveries);
            }
            deliver();
        } catch (LinkViolation violation) {
            refuse(violation.problem());
        }
    }

    private static boolean alone(RingMessage message) {
        return switch (message.getMessageCase()) {
            case FRAMES ->
                    message.getFrames().getFramesCount() == 1
                            && message.getFrames().getFrames(0).getTokensCount() == 1;
            case TOKENS -> message.getTokens().getTokensCount() == 1;
            case HELLO,
                    OPEN,
                    PROGRESS,
                    NEED_FROM,
                    CLOSE,
                    FAILED,
                    PROBE,
                    PROBE_ANSWER,
                    MESSAGE_NOT_SET ->
                    false;
        };
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
        HiddenCodec chosen = choose(hello.getCodecsList());
        if (!service.enter(id, this)) {
            throw new LinkViolation(
                    Problem.Kind.OVERLOADED,
                    "Worker %s has as many links as it takes.".formatted(service.workerId()));
        }
        codec = chosen;
        sender = id;
        reply.onNext(
                LinkReply.newBuilder()
                        .setWelcome(
                                LinkWelcome.newBuilder()
                                        .setProtocol(ProtocolVersions.ours())
                                        .setWorkerId(service.workerId())
                                        .setCodec(Wire.toWire(chosen)))
                        .build());
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
        reply.request(1);
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
        try {
            reply.onNext(LinkReply.newBuilder().setRefused(Wire.toWire(problem)).build());
            reply.onCompleted();
        } catch (IllegalStateException e) {
            log.debug("The peer was gone before it could be refused", e);
        }
        end(problem.message());
    }

    /** A newer link from the same worker takes this one's place. */
    void replaced() {
        try {
            reply.onError(Status.ABORTED.withDescription("dialled anew").asRuntimeException());
        } catch (IllegalStateException e) {
            log.debug("The replaced link had ended already", e);
        }
        end("it dialled anew");
    }

    @Override
    public void onError(Throwable error) {
        end("the connection broke");
    }

    @Override
    public void onCompleted() {
        complete();
        end("it closed the link");
    }

    /** Ends the link in order, since this worker closes. */
    void close() {
        complete();
        end("this worker closes");
    }

    private void complete() {
        try {
            reply.onCompleted();
        } catch (IllegalStateException e) {
            log.debug("The link had ended already", e);
        }
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
