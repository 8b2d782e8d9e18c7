package coop.sahkar.client;

import coop.sahkar.proto.Problem;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Why a request got no complete answer. The message is a sentence or two for a person: what went
 * wrong, where, and what to do next. Catch a nested class to tell the cases apart, or switch over
 * {@link #kind()}.
 */
public abstract sealed class InferenceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient @Nullable Problem problem;

    private InferenceException(Problem problem) {
        super(problem.message());
        this.problem = problem;
    }

    private InferenceException(String message, Throwable cause) {
        super(message, cause);
        this.problem = null;
    }

    /** The pool's name for the failure; empty when no coordinator could be asked. */
    public Optional<Problem.Kind> kind() {
        return Optional.ofNullable(problem).map(Problem::kind);
    }

    /** The request field at fault, for example {@code messages[0].role}; empty when none is. */
    public String field() {
        return problem == null ? "" : problem.field();
    }

    /** How long to wait before another try can help, when that is known. */
    public Optional<Duration> retryAfter() {
        return problem == null || problem.retryAfterMillis() == 0
                ? Optional.empty()
                : Optional.of(Duration.ofMillis(problem.retryAfterMillis()));
    }

    /** Whether the same request may pass later. */
    public boolean retryable() {
        return problem == null || problem.kind().retryable();
    }

    static InferenceException of(Problem problem) {
        return switch (problem.kind()) {
            case INVALID_REQUEST -> new InvalidRequest(problem);
            case CONTEXT_LENGTH_EXCEEDED -> new ContextLengthExceeded(problem);
            case MODEL_NOT_FOUND -> new ModelNotFound(problem);
            case MODEL_INCOMPLETE -> new ModelIncomplete(problem);
            case OVERLOADED -> new Overloaded(problem);
            case WORKER_LOST -> new Lost(problem);
            case CANCELLED -> new Cancelled(problem);
            case DEADLINE_EXCEEDED -> new DeadlineExceeded(problem);
            case UNAUTHORIZED -> new Unauthorized(problem);
            case PROTOCOL, NOT_LEADER, INTERNAL -> new PoolFault(problem);
        };
    }

    /** The request is wrong; {@link #field()} says where. The same request fails again. */
    public static final class InvalidRequest extends InferenceException {
        private static final long serialVersionUID = 1;

        InvalidRequest(Problem problem) {
            super(problem);
        }
    }

    /** Prompt and answer do not fit the model's context. */
    public static final class ContextLengthExceeded extends InferenceException {
        private static final long serialVersionUID = 1;

        ContextLengthExceeded(Problem problem) {
            super(problem);
        }
    }

    /** No such model is published. */
    public static final class ModelNotFound extends InferenceException {
        private static final long serialVersionUID = 1;

        ModelNotFound(Problem problem) {
            super(problem);
        }
    }

    /** No worker holds some blocks of the model. */
    public static final class ModelIncomplete extends InferenceException {
        private static final long serialVersionUID = 1;

        ModelIncomplete(Problem problem) {
            super(problem);
        }
    }

    /** There is no room now; {@link #retryAfter()} says when another try can help. */
    public static final class Overloaded extends InferenceException {
        private static final long serialVersionUID = 1;

        Overloaded(Problem problem) {
            super(problem);
        }
    }

    /** A worker, or the coordinator, was lost in the middle of the answer. */
    public static final class Lost extends InferenceException {
        private static final long serialVersionUID = 1;

        Lost(Problem problem) {
            super(problem);
        }
    }

    /** The caller cancelled. */
    public static final class Cancelled extends InferenceException {
        private static final long serialVersionUID = 1;

        Cancelled(Problem problem) {
            super(problem);
        }
    }

    /** The caller's timeout passed. */
    public static final class DeadlineExceeded extends InferenceException {
        private static final long serialVersionUID = 1;

        DeadlineExceeded(Problem problem) {
            super(problem);
        }
    }

    /** The pool does not let the caller do this. */
    public static final class Unauthorized extends InferenceException {
        private static final long serialVersionUID = 1;

        Unauthorized(Problem problem) {
            super(problem);
        }
    }

    /** The pool is at fault, or speaks another version of the protocol. */
    public static final class PoolFault extends InferenceException {
        private static final long serialVersionUID = 1;

        PoolFault(Problem problem) {
            super(problem);
        }
    }

    /** None of the coordinators could be reached; nothing was asked. */
    public static final class Unreachable extends InferenceException {
        private static final long serialVersionUID = 1;

        Unreachable(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
