package coop.sahkar.client.pool;

import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.GenerationGrpc;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One call to one coordinator. Events wait in a queue that cannot overflow, because the server is
 * only asked for as many as there is room for.
 */
final class CoordinatorCall implements ClientResponseObserver<GenerateRequest, GenerationEvent> {
    /** Events that may be on their way to a reader who has not asked for them yet. */
    private static final int WINDOW = 64;

    /** What arrives. */
    sealed interface Signal {
        /** The next event. */
        record Event(GenerationEvent event) implements Signal {}

        /** The call is over. */
        record End(Status status) implements Signal {}
    }

    private final CoordinatorChannel coordinator;
    // One place more than the window, for the end.
    private final BlockingQueue<Signal> arrived = new ArrayBlockingQueue<>(WINDOW + 1);
    private @Nullable ClientCallStreamObserver<GenerateRequest> call;

    private CoordinatorCall(CoordinatorChannel coordinator) {
        this.coordinator = coordinator;
    }

    static CoordinatorCall start(
            CoordinatorChannel coordinator, GenerateRequest request, @Nullable Deadline deadline) {
        CoordinatorCall call = new CoordinatorCall(coordinator);
        GenerationGrpc.GenerationStub stub = GenerationGrpc.newStub(coordinator.channel());
        (deadline == null ? stub : stub.withDeadline(deadline)).generate(request, call);
        return call;
    }

    CoordinatorChannel coordinator() {
        return coordinator;
    }

    /**
     * Waits for the next signal; an {@code End} is the last.
     *
     * @return nothing if none came in this time
     */
    @Nullable Signal take(Duration longest) throws InterruptedException {
        Signal signal = arrived.poll(longest.toNanos(), TimeUnit.NANOSECONDS);
        if (signal instanceof Signal.Event && call != null) {
            call.request(1);
        }
        return signal;
    }

    void cancel() {
        if (call != null) {
            call.cancel("cancelled by the caller", null);
        }
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<GenerateRequest> stream) {
        call = stream;
        stream.disableAutoRequestWithInitial(WINDOW);
    }

    @Override
    public void onNext(GenerationEvent event) {
        arrived.add(new Signal.Event(event));
    }

    @Override
    public void onError(Throwable failure) {
        arrived.add(new Signal.End(Status.fromThrowable(failure)));
    }

    @Override
    public void onCompleted() {
        arrived.add(new Signal.End(Status.OK));
    }
}
