package coop.sahkar.client;

import coop.sahkar.client.Attempt.Signal;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import io.grpc.Deadline;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An answer as it comes. Pull pieces until there are none, then ask for the {@link #completion()}.
 * One thread reads; any thread may {@link #cancel()}. Closing a stream that is not at its end
 * cancels the generation in all workers.
 */
public final class TokenStream implements Iterator<TextPiece>, AutoCloseable {
    private final GenerateRequest request;
    private final @Nullable Deadline deadline;
    private final Iterator<CoordinatorChannel> coordinators;
    private final CoordinatorRing ring;
    private final List<String> unreachable = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private volatile Attempt attempt;
    private volatile boolean cancelled;
    private boolean heard;
    private @Nullable TextPiece next;
    private @Nullable Answering answering;
    private @Nullable Completion completion;
    private @Nullable InferenceException failure;

    TokenStream(GenerateRequest request, @Nullable Deadline deadline, CoordinatorRing ring) {
        this.request = request;
        this.deadline = deadline;
        this.ring = ring;
        this.coordinators = ring.inOrder().iterator();
        this.attempt = Attempt.start(coordinators.next(), request, deadline);
    }

    /**
     * Waits for the next piece.
     *
     * @return whether there is one; false at the end of the answer
     * @throws InferenceException if the answer cannot be completed
     */
    @Override
    public boolean hasNext() {
        while (next == null && completion == null) {
            advance();
        }
        return next != null;
    }

    @Override
    public TextPiece next() {
        if (!hasNext() || next == null) {
            throw new NoSuchElementException("the answer is complete");
        }
        TextPiece piece = next;
        next = null;
        return piece;
    }

    /** Who answers; empty until the first piece, or the end, has come. */
    public Optional<Answering> answering() {
        return Optional.ofNullable(answering);
    }

    /**
     * Reads on to the end, if it is not reached yet.
     *
     * @return the complete answer
     * @throws InferenceException if it cannot be completed
     */
    public Completion completion() {
        while (completion == null) {
            next = null;
            advance();
        }
        return completion;
    }

    /** The text so far, also after a failure. */
    public String textSoFar() {
        return text.toString();
    }

    /** Ends the generation; the reader gets {@link InferenceException.Cancelled}. */
    public void cancel() {
        cancelled = true;
        attempt.cancel();
    }

    @Override
    public void close() {
        if (completion == null && failure == null) {
            cancel();
        }
    }

    private void advance() {
        if (failure != null) {
            throw failure;
        }
        try {
            switch (attempt.take()) {
                case Signal.Event(GenerationEvent event) -> take(event);
                case Signal.End(Status status) -> end(status);
            }
        } catch (InterruptedException e) {
            cancel();
            Thread.currentThread().interrupt();
            throw fail(Problem.of(Problem.Kind.CANCELLED, "The reading thread was interrupted."));
        }
    }

    private void take(GenerationEvent event) {
        if (event.getEventCase() == GenerationEvent.EventCase.FAILED) {
            problem(coop.sahkar.proto.Wire.fromWire(event.getFailed().getProblem()));
            return;
        }
        if (!heard) {
            heard = true;
            ring.prefer(attempt.coordinator());
        }
        switch (event.getEventCase()) {
            case STARTED -> answering = Wire.answering(event.getStarted());
            case DELTA -> delta(event.getDelta());
            case FINISHED -> {
                Answering who = answering;
                if (who == null) {
                    who = new Answering("", request.getModel(), 0, List.of());
                }
                completion = Wire.completion(text.toString(), event.getFinished(), who);
            }
            case PREFILLED, REROUTED, FAILED, EVENT_NOT_SET -> {}
        }
    }

    private void delta(Delta delta) {
        text.append(delta.getText());
        next = new TextPiece(delta.getText(), delta.getPosition(), delta.getTokensCount());
    }

    private void problem(Problem problem) {
        // A coordinator that cannot do it has done nothing yet: another may.
        if (problem.kind() == Problem.Kind.NOT_LEADER && !heard && moveOn(problem.message())) {
            return;
        }
        throw fail(problem);
    }

    private void end(Status status) {
        String where = attempt.coordinator().address().toString();
        if (status.getCode() == Status.Code.UNAVAILABLE && !heard && !cancelled) {
            if (!moveOn(where)) {
                failure = CoordinatorRing.unreachable(unreachable, status);
                throw failure;
            }
        } else if (status.isOk()) {
            throw fail(
                    Problem.of(
                            Problem.Kind.PROTOCOL,
                            "The coordinator at %s ended the answer without saying how."
                                    .formatted(where)));
        } else {
            throw fail(Wire.problem(status, where));
        }
    }

    private boolean moveOn(String what) {
        unreachable.add(what);
        if (!coordinators.hasNext()) {
            return false;
        }
        attempt = Attempt.start(coordinators.next(), request, deadline);
        if (cancelled) {
            attempt.cancel();
        }
        return true;
    }

    private InferenceException fail(Problem problem) {
        InferenceException made = InferenceException.of(problem);
        failure = made;
        return made;
    }
}
