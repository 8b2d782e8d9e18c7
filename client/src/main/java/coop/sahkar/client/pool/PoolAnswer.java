package coop.sahkar.client.pool;

import coop.sahkar.client.TextPiece;
import coop.sahkar.client.pool.CoordinatorCall.Signal;
import coop.sahkar.client.provider.Answer;
import coop.sahkar.client.provider.AnswerEvent;
import coop.sahkar.client.provider.Call;
import coop.sahkar.client.provider.Failure;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import io.grpc.Deadline;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * An answer of the pool, from the first coordinator that takes the request. When that one is lost
 * in the middle the answer goes on through another, behind what has come here.
 */
final class PoolAnswer implements Answer {
    /** How long another coordinator is looked for in the middle of an answer. */
    private static final long RESUME_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** Pause before those are asked once more that could not be reached. */
    private static final long AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final GenerateRequest request;
    private final @Nullable Deadline deadline;
    private final Progress progress = new Progress();
    private Iterator<CoordinatorChannel> coordinators;
    private final CoordinatorRing ring;
    private final ToolCalls calls;
    private @Nullable AnswerEvent last;
    private final List<String> unreachable = new ArrayList<>();
    private volatile CoordinatorCall current;
    private volatile boolean cancelled;
    private boolean heard;
    private long lostNanos;
    private boolean lost;

    PoolAnswer(Call call, CoordinatorRing ring) {
        this.request = Wire.toMessage(call);
        this.deadline =
                call.timeLeft()
                        .map(time -> Deadline.after(time.toMillis(), TimeUnit.MILLISECONDS))
                        .orElse(null);
        this.ring = ring;
        this.calls = new ToolCalls(call.request().tools());
        this.coordinators = ring.inOrder().iterator();
        this.current = CoordinatorCall.start(coordinators.next(), request, deadline);
    }

    @Override
    public AnswerEvent take(Duration longest) throws InterruptedException {
        if (last != null) {
            return last;
        }
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
        boolean first = !heard;
        if (first || lost) {
            heard = true;
            lost = false;
            ring.prefer(current.coordinator());
        }
        progress.heard(event);
        return switch (event.getEventCase()) {
            case STARTED -> {
                ring.learn(event.getStarted().getCoordinatorsList());
                calls.started(event.getStarted());
                yield first
                        ? new AnswerEvent.Started(Wire.answering(event.getStarted()))
                        : new AnswerEvent.Alive();
            }
            case DELTA -> piece(event.getDelta());
            case FINISHED -> finished(event.getFinished());
            case PREFILLED, REROUTED, LEAVING, FAILED, EVENT_NOT_SET -> new AnswerEvent.Alive();
        };
    }

    private AnswerEvent piece(Delta delta) {
        return new AnswerEvent.Piece(
                new TextPiece(
                        calls.read(delta.getText()), delta.getPosition(), delta.getTokensCount()));
    }

    /** Text that could have begun a call, and is none after all, comes before the end. */
    private AnswerEvent finished(Finished finished) {
        String rest = calls.end();
        AnswerEvent end = Wire.finished(finished, calls.complete());
        if (rest.isEmpty()) {
            return end;
        }
        last = end;
        return new AnswerEvent.Piece(new TextPiece(rest, -1, 0));
    }

    private AnswerEvent problem(Problem problem) {
        // A coordinator that cannot do it has done nothing yet: another may, and one that has just
        // started may know less of the workers.
        boolean elsewhere =
                problem.kind() == Problem.Kind.NOT_LEADER
                        || problem.kind() == Problem.Kind.MODEL_INCOMPLETE;
        if (elsewhere && !heard && moveOn(problem.message())) {
            return new AnswerEvent.Alive();
        }
        if (problem.kind() == Problem.Kind.NOT_LEADER && goesOn()) {
            return new AnswerEvent.Alive();
        }
        return new AnswerEvent.Failed(Wire.failure(problem));
    }

    private AnswerEvent end(Status status) {
        String where = current.coordinator().address().toString();
        if (status.getCode() == Status.Code.UNAVAILABLE && !heard && !cancelled) {
            return moveOn(where) ? new AnswerEvent.Alive() : new AnswerEvent.Failed(nobody(status));
        }
        if (brokenOff(status) && goesOn()) {
            return new AnswerEvent.Alive();
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

    /** A coordinator that ends says UNAVAILABLE, or, caught in the middle, one of the others. */
    private static boolean brokenOff(Status status) {
        return switch (status.getCode()) {
            case UNAVAILABLE, INTERNAL, CANCELLED, UNKNOWN -> true;
            default -> false;
        };
    }

    /**
     * Goes on through another coordinator, each once and all of them again and again for a while.
     */
    private boolean goesOn() {
        if (!progress.resumable() || cancelled) {
            return false;
        }
        long now = System.nanoTime();
        if (!lost) {
            lost = true;
            lostNanos = now;
            coordinators = others();
        } else if (now - lostNanos > RESUME_NANOS) {
            return false;
        } else if (!coordinators.hasNext()) {
            LockSupport.parkNanos(AGAIN_NANOS);
            coordinators = ring.inOrder().iterator();
        }
        current = CoordinatorCall.start(coordinators.next(), progress.goOn(request), deadline);
        if (cancelled) {
            current.cancel();
        }
        return true;
    }

    /** All, the one that was lost last. */
    private Iterator<CoordinatorChannel> others() {
        List<CoordinatorChannel> order = new ArrayList<>(ring.inOrder());
        if (order.remove(current.coordinator())) {
            order.add(current.coordinator());
        }
        return order.iterator();
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
