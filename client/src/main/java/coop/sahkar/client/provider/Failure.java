package coop.sahkar.client.provider;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Why a provider did not answer, or not to the end.
 *
 * @param kind decides what is done next
 * @param message one or two sentences for a person
 * @param field the request field at fault; empty when none is
 * @param retryAfter how long the provider says to leave it alone; empty when it does not
 * @param again whether the same provider may be asked once more for the same request
 * @param problem the pool's own name for it; empty where it has none
 * @param cause what was thrown, if anything was
 */
public record Failure(
        FailureKind kind,
        String message,
        String field,
        Optional<Duration> retryAfter,
        boolean again,
        Optional<Problem.Kind> problem,
        @Nullable Throwable cause) {
    public Failure {
        if (message.length() > Limits.MAX_ERROR_CHARS) {
            message = message.substring(0, Limits.MAX_ERROR_CHARS);
        }
    }

    /** A failure of which nothing more is known. */
    public static Failure of(FailureKind kind, String message) {
        return new Failure(
                kind, message, "", Optional.empty(), kind.passes(), problemOf(kind), null);
    }

    /** The same, with what was thrown. */
    public static Failure of(FailureKind kind, String message, Throwable cause) {
        return new Failure(
                kind, message, "", Optional.empty(), kind.passes(), problemOf(kind), cause);
    }

    public Failure field(String name) {
        return new Failure(kind, message, name, retryAfter, again, problem, cause);
    }

    public Failure retryAfter(Optional<Duration> rest) {
        return new Failure(kind, message, field, rest, again, problem, cause);
    }

    /** The same as another kind: what is a broken connection before any text is worse after. */
    public Failure as(FailureKind other) {
        return new Failure(
                other,
                message,
                field,
                retryAfter,
                other.passes(),
                problem.or(() -> problemOf(other)),
                cause);
    }

    private static Optional<Problem.Kind> problemOf(FailureKind kind) {
        return switch (kind) {
            case AUTH -> Optional.of(Problem.Kind.UNAUTHORIZED);
            case NOT_FOUND -> Optional.of(Problem.Kind.MODEL_NOT_FOUND);
            case BAD_REQUEST -> Optional.of(Problem.Kind.INVALID_REQUEST);
            case CONTEXT -> Optional.of(Problem.Kind.CONTEXT_LENGTH_EXCEEDED);
            case RATE, QUOTA, OVERLOAD -> Optional.of(Problem.Kind.OVERLOADED);
            case TIMEOUT, MID_STREAM -> Optional.of(Problem.Kind.WORKER_LOST);
            case NETWORK -> Optional.empty();
            case BROKEN -> Optional.of(Problem.Kind.PROTOCOL);
            case CANCELLED -> Optional.of(Problem.Kind.CANCELLED);
            case DEADLINE -> Optional.of(Problem.Kind.DEADLINE_EXCEEDED);
        };
    }
}
