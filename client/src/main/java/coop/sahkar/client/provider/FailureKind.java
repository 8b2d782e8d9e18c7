package coop.sahkar.client.provider;

/** Why a provider did not answer. The kind alone decides what is done next. */
public enum FailureKind {
    /** The key is missing, wrong, or not good for this. */
    AUTH,
    /** No such model, or nothing at this address. */
    NOT_FOUND,
    /** The caller's request is wrong and would be wrong anywhere. */
    BAD_REQUEST,
    /** Prompt and answer do not fit the model's context; a longer one may do. */
    CONTEXT,
    /** Too many requests or tokens for now. */
    RATE,
    /** What the caller may use, or pay for, is used up. */
    QUOTA,
    /** The provider has no room, or is broken in a way that passes. */
    OVERLOAD,
    /** Nothing came before patience ended. */
    TIMEOUT,
    /** No connection, or it broke before any text. */
    NETWORK,
    /** It broke, failed or fell silent after some text. */
    MID_STREAM,
    /** It answered with what is no answer: other content, bad JSON, a redirect, too much. */
    BROKEN,
    /** The caller cancelled. */
    CANCELLED,
    /** The caller's time is over. */
    DEADLINE;

    /** Whether no other provider may be asked: the caller has to change something, or stopped. */
    public boolean isFinal() {
        return switch (this) {
            case BAD_REQUEST, CANCELLED, DEADLINE -> true;
            case AUTH,
                    NOT_FOUND,
                    CONTEXT,
                    RATE,
                    QUOTA,
                    OVERLOAD,
                    TIMEOUT,
                    NETWORK,
                    MID_STREAM,
                    BROKEN ->
                    false;
        };
    }

    /** Whether the same provider may well answer the same request a little later. */
    public boolean passes() {
        return switch (this) {
            case RATE, OVERLOAD, TIMEOUT, NETWORK -> true;
            case AUTH,
                    NOT_FOUND,
                    BAD_REQUEST,
                    CONTEXT,
                    QUOTA,
                    MID_STREAM,
                    BROKEN,
                    CANCELLED,
                    DEADLINE ->
                    false;
        };
    }

    /** Whether trying again at once is better than going elsewhere first. */
    public boolean isBlip() {
        return this == NETWORK || this == OVERLOAD;
    }
}
