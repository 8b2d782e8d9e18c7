package coop.sahkar.proto;

/**
 * Why something was refused or failed: an expected failure, passed as a value.
 *
 * @param kind decides what callers may do about it
 * @param message one or two sentences: what, where, and what to do next
 * @param field the request field at fault; empty when none is
 * @param retryAfterMillis how long to wait before another try can help; 0 when unknown
 */
public record Problem(Kind kind, String message, String field, int retryAfterMillis) {

    /** Kinds of failure. */
    public enum Kind {
        /** The caller's request is wrong; the same request fails again. */
        INVALID_REQUEST,
        /** No such model is published. */
        MODEL_NOT_FOUND,
        /** Prompt and answer do not fit the model's context. */
        CONTEXT_LENGTH_EXCEEDED,
        /** There is no room now; the same request may pass later. */
        OVERLOADED,
        /** The caller's account has used what its tier allows; later it may again. */
        RATE_LIMITED,
        /** No worker holds some blocks of the model. */
        MODEL_INCOMPLETE,
        /** A worker of the route was lost, stalled or unreachable. */
        WORKER_LOST,
        /** The caller cancelled. */
        CANCELLED,
        /** The caller's deadline passed. */
        DEADLINE_EXCEEDED,
        /** A key or ticket that is wrong, expired, revoked, or for somebody else. */
        UNAUTHORIZED,
        /** A peer that breaks the protocol or speaks another version of it. */
        PROTOCOL,
        /** This coordinator does not lead and cannot do it; another can. */
        NOT_LEADER,
        /** A fault of ours. */
        INTERNAL;

        /** Whether another route, or the same one later, may succeed where this one failed. */
        public boolean retryable() {
            return switch (this) {
                case OVERLOADED, RATE_LIMITED, MODEL_INCOMPLETE, WORKER_LOST, NOT_LEADER -> true;
                case INVALID_REQUEST,
                        MODEL_NOT_FOUND,
                        CONTEXT_LENGTH_EXCEEDED,
                        CANCELLED,
                        DEADLINE_EXCEEDED,
                        UNAUTHORIZED,
                        PROTOCOL,
                        INTERNAL ->
                        false;
            };
        }
    }

    public Problem {
        if (message.length() > Limits.MAX_ERROR_CHARS) {
            message = message.substring(0, Limits.MAX_ERROR_CHARS);
        }
    }

    /** A problem without a field at fault. */
    public static Problem of(Kind kind, String message) {
        return new Problem(kind, message, "", 0);
    }

    /** A problem with one field of the request. */
    public static Problem inField(String field, String message) {
        return new Problem(Kind.INVALID_REQUEST, message, field, 0);
    }
}
