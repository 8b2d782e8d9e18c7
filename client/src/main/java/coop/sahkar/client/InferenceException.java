package coop.sahkar.client;

import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import coop.sahkar.proto.Problem;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Why a request got no complete answer. The message is a sentence or two for a person: what went
 * wrong, where, and what to do next. Catch a nested class to tell the cases apart, or switch over
 * {@link #kind()}.
 */
public abstract sealed class InferenceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient Failure failure;
    private final transient List<Tried> tried;

    private InferenceException(Failure failure, List<Tried> tried) {
        super(failure.message(), failure.cause());
        this.failure = failure;
        this.tried = List.copyOf(tried);
    }

    /** The pool's name for the failure; empty when nobody could be reached. */
    public Optional<Problem.Kind> kind() {
        return failure.problem();
    }

    /** Why the last provider did not answer. */
    public FailureKind failureKind() {
        return failure.kind();
    }

    /** Everybody who was asked in vain, in order; the last is the one this exception is about. */
    public List<Tried> tried() {
        return tried;
    }

    /** The request field at fault, for example {@code messages[0].role}; empty when none is. */
    public String field() {
        return failure.field();
    }

    /** How long to wait before another try can help, when that is known. */
    public Optional<Duration> retryAfter() {
        return failure.retryAfter();
    }

    /** Whether the same request may pass later. */
    public boolean retryable() {
        return failure.problem().map(Problem.Kind::retryable).orElse(true);
    }

    /** The exception for a failure at one provider, asked alone. */
    public static InferenceException of(Failure failure) {
        return of(failure, List.of());
    }

    static InferenceException of(Failure failure, List<Tried> tried) {
        if (failure.problem().isEmpty()) {
            return new Unreachable(failure, tried);
        }
        return switch (failure.problem().get()) {
            case INVALID_REQUEST -> new InvalidRequest(failure, tried);
            case CONTEXT_LENGTH_EXCEEDED -> new ContextLengthExceeded(failure, tried);
            case MODEL_NOT_FOUND -> new ModelNotFound(failure, tried);
            case MODEL_INCOMPLETE -> new ModelIncomplete(failure, tried);
            case OVERLOADED, RATE_LIMITED -> new Overloaded(failure, tried);
            case WORKER_LOST -> new Lost(failure, tried);
            case CANCELLED -> new Cancelled(failure, tried);
            case DEADLINE_EXCEEDED -> new DeadlineExceeded(failure, tried);
            case UNAUTHORIZED -> new Unauthorized(failure, tried);
            case PROTOCOL, NOT_LEADER, INTERNAL -> new PoolFault(failure, tried);
        };
    }

    /** The request is wrong; {@link #field()} says where. The same request fails again. */
    public static final class InvalidRequest extends InferenceException {
        private static final long serialVersionUID = 1;

        InvalidRequest(Failure failure, List<Tried> tried) {
            super(failure, tried);
        }
    }

    /** Prompt and answer do not fit the model's context. */
    public static final class ContextLengthExceeded extends InferenceException {
        private static final long serialVersionUID = 1;

        ContextLengthExceeded(Failure failure, List<Tried> tried) {
            super(failure, tried);
        }
    }

    /** Nobody who was asked has such a model. */
    public static final class ModelNotFound extends InferenceException {
        private static final long serialVersionUID = 1;

        ModelNotFound(Failure failure, List<Tried> tried) {
            super(failure, tried);
        }
    }

    /** No worker holds some blocks of the model. */
    public static final class ModelIncomplete extends InferenceException {
        private static final long serialVersionUID = 1;

        ModelIncomplete(Failure failure, List<Tried> tried) {
            super(failure, tried);
        }
    }

    /** There is no room now; {@link #retryAfter()} says when another try can help. */
    public static final class Overloaded extends InferenceException {
        private static final long serialVersionUID = 1;

        Overloaded(Failure failure, List<Tried> tried) {
            super(failure, tried);
        }
    }

    /** Whoever answered was lost or fell silent: a worker, the coordinator, another provider. */
    public static final class Lost extends InferenceException {
        private static final long serialVersionUID = 1;

        Lost(Failure failure, List<Tried> tried) {
            super(failure, tried);
        }
    }

    /** The caller cancelled. */
    public static final class Cancelled extends InferenceException {
        private static final long serialVersionUID = 1;

        Cancelled(Failure failure, List<Tried> tried) {
            super(failure, tried);
        }
    }

    /** The caller's timeout passed. */
    public static final class DeadlineExceeded extends InferenceException {
        private static final long serialVersionUID = 1;

        DeadlineExceeded(Failure failure, List<Tried> tried) {
            super(failure, tried);
        }
    }

    /** The pool, or the provider, does not let the caller do this. */
    public static final class Unauthorized extends InferenceException {
        private static final long serialVersionUID = 1;

        Unauthorized(Failure failure, List<Tried> tried) {
            super(failure, tried);
        }
    }

    /** The pool or provider is at fault, or speaks another version of the protocol. */
    public static final class PoolFault extends InferenceException {
        private static final long serialVersionUID = 1;

        PoolFault(Failure failure, List<Tried> tried) {
            super(failure, tried);
        }
    }

    /** None of the coordinators, or no provider, could be reached; nothing was asked. */
    public static final class Unreachable extends InferenceException {
        private static final long serialVersionUID = 1;

        Unreachable(Failure failure, List<Tried> tried) {
            super(failure, tried);
        }
    }
}
