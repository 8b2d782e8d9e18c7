package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.HeadGrpc;
import coop.sahkar.proto.v1.HeadProbe;
import coop.sahkar.proto.v1.HeadProbeAnswer;
import coop.sahkar.proto.v1.RunRequest;
import coop.sahkar.proto.v1.SignedTicket;
import coop.sahkar.proto.v1.StopReply;
import coop.sahkar.proto.v1.StopRequest;
import io.grpc.Channel;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One call of Head.Run. Events come only as they are asked for, on gRPC's threads. */
final class HeadCall implements ClientResponseObserver<RunRequest, GenerationEvent> {
    /** Where the call's events go. */
    interface Receiver {
        void received(HeadCall call, GenerationEvent event);

        void ended(HeadCall call, Status status);
    }

    private final String workerId;
    private final String endpoint;
    private final Receiver receiver;
    private @Nullable Channel channel;
    private SignedTicket ticket = SignedTicket.getDefaultInstance();
    private @Nullable ClientCallStreamObserver<RunRequest> stream;

    HeadCall(String workerId, String endpoint, Receiver receiver) {
        this.workerId = workerId;
        this.endpoint = endpoint;
        this.receiver = receiver;
    }

    String workerId() {
        return workerId;
    }

    String endpoint() {
        return endpoint;
    }

    /** Starts the call; the deadline is passed on so that the head gives up in time too. */
    void start(Channel channel, RunRequest request, @Nullable Deadline deadline) {
        this.channel = channel;
        this.ticket = request.getTicket();
        HeadGrpc.HeadStub stub = HeadGrpc.newStub(channel);
        if (deadline != null) {
            long millis = Math.max(1, deadline.timeRemaining(TimeUnit.MILLISECONDS));
            stub = stub.withDeadlineAfter(millis, TimeUnit.MILLISECONDS);
        }
        stub.run(request, this);
    }

    /**
     * Asks the head whether it is there.
     *
     * @param answerMillis how long it has
     * @param answer true if it is; called once, on any thread
     */
    void probe(long answerMillis, Consumer<Boolean> answer) {
        Channel there = channel;
        if (there == null) {
            answer.accept(false);
            return;
        }
        HeadGrpc.newStub(there)
                .withDeadlineAfter(answerMillis, TimeUnit.MILLISECONDS)
                .probe(HeadProbe.getDefaultInstance(), new Presence(answer));
    }

    /** Hears whether a head is there. One that does not know the question is. */
    private record Presence(Consumer<Boolean> answer) implements StreamObserver<HeadProbeAnswer> {
        @Override
        public void onNext(HeadProbeAnswer here) {}

        @Override
        public void onError(Throwable failure) {
            Status.Code code = Status.fromThrowable(failure).getCode();
            answer.accept(code == Status.Code.UNIMPLEMENTED);
        }

        @Override
        public void onCompleted() {
            answer.accept(true);
        }
    }

    /** Asks for one more event. */
    void request() {
        if (stream != null) {
            stream.request(1);
        }
    }

    /** Hangs up for good; the head frees the session in all stages. */
    void cancel(String why) {
        Channel there = channel;
        if (there != null && stream != null) {
            HeadGrpc.newStub(there)
                    .withDeadlineAfter(GatewayLimits.STOP_MILLIS, TimeUnit.MILLISECONDS)
                    .stop(StopRequest.newBuilder().setTicket(ticket).build(), new Heedless());
        }
        abandon(why);
    }

    /** Where the word does not get through, the head stops by itself in some seconds. */
    private static final class Heedless implements StreamObserver<StopReply> {
        @Override
        public void onNext(StopReply reply) {}

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {}
    }

    /** Hangs up, and leaves the head to whoever asks for it through another coordinator. */
    void abandon(String why) {
        if (stream != null) {
            stream.cancel(why, null);
        }
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<RunRequest> requestStream) {
        requestStream.disableAutoRequestWithInitial(0);
        stream = requestStream;
    }

    @Override
    public void onNext(GenerationEvent event) {
        receiver.received(this, event);
    }

    @Override
    public void onError(Throwable failure) {
        receiver.ended(this, Status.fromThrowable(failure));
    }

    @Override
    public void onCompleted() {
        receiver.ended(this, Status.OK);
    }
}
