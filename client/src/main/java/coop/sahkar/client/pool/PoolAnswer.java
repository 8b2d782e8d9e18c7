package coop.sahkar.client.pool;

import coop.sahkar.client.TextPiece;
import coop.sahkar.client.pool.CoordinatorCall.Signal;
import coop.sahkar.client.provider.Answer;
import coop.sahkar.client.provider.AnswerEvent;
import coop.sahkar.client.provider.Call;
import coop.sahkar.client.provider.Failure;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import io.grpc.Deadline;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** An answer of the pool, from the first coordinator that takes the request. */
final class PoolAnswer implements Answer {
    private final GenerateRequest request;
    private final @Nullable Deadline deadline;
    private final Iterator<CoordinatorChannel> coordinators;
    private final CoordinatorRing ring;
    private final List<String> unreachable = new ArrayList<>();
    private volatile CoordinatorCall current;
    private volatile boolean cancelled;
    private boolean heard;

    PoolAnswer(Call call, CoordinatorRing ring) {
        this.request = Wire.toMessage(call);
        this.deadline =
                call.timeLeft()
                        .map(time -> Deadline.after(time.toMillis(), TimeUnit.MILLISECONDS))
                        .orElse(null);
        this.ring = ring;
        this.coordinators = ring.inOrder().iterator();
        this.current = CoordinatorCall.start(coordinators.next(), request, deadline);
    }

    @Override
    public AnswerEvent take(Duration longest) throws InterruptedException {
        return switch (current.take(longest)) {
            case null -> new AnswerEvent.Silence();
            case Signal.Event(GenerationEvent event) -> take(event);
            case Signal.End(Status status) -> end(status);
        };
    }

    @Override
    public void cancel() {
        cancelled = true;
        current.cancel();
    }

    private AnswerEvent take(GenerationEvent event) {
        if (event.getEventCase() == GenerationEvent.EventCase.FAILED) {
            return problem(coop.sahkar.proto.Wire.fromWire(event.getFailed().getProblem()));
        }
        if (!heard) {
            heard = true;
            ring.prefer(current.coordinator());
        }
        return switch (event.getEventCase()) {
            case STARTED -> new AnswerEvent.Started(Wire.answering(event.getStarted()));
            case DELTA -> piece(event.getDelta());
            case FINISHED -> Wire.finished(event.getFinished());
            case PREFILLED, REROUTED, LEAVING, FAILED, EVENT_NOT_SET -> new AnswerEvent.Alive();
        };
    }

    private static AnswerEvent piece(Delta delta) {
        return new AnswerEvent.Piece(
                new TextPiece(delta.getText(), delta.getPosition(), delta.getTokensCount()));
    }

    private AnswerEvent problem(Problem problem) {
        // A coordinator that cannot do it has done nothing yet: another may.
        if (problem.kind() == Problem.Kind.NOT_LEADER && !heard && moveOn(problem.message())) {
            return new AnswerEvent.Alive();
        }
        return new AnswerEvent.Failed(Wire.failure(problem));
    }

    private AnswerEvent end(Status status) {
        String where = current.coordinator().address().toString();
        if (status.getCode() == Status.Code.UNAVAILABLE && !heard && !cancelled) {
            return moveOn(where) ? new AnswerEvent.Alive() : new AnswerEvent.Failed(nobody(status));
        }
        Problem problem =
                status.isOk()
                        ? Problem.of(
                                Problem.Kind.PROTOCOL,
                                "The coordinator at %s ended the answer without saying how."
                                        .formatted(where))
                        : Wire.problem(status, where);
        return new AnswerEvent.Failed(Wire.failure(problem));
    }

    private Failure nobody(Status status) {
        return CoordinatorRing.unreachable(unreachable, status);
    }

    private boolean moveOn(String what) {
        unreachable.add(what);
        if (!coordinators.hasNext()) {
            return false;
        }
        current = CoordinatorCall.start(coordinators.next(), request, deadline);
        if (cancelled) {
            current.cancel();
        }
        return true;
    }
}
