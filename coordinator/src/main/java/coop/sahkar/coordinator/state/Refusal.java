package coop.sahkar.coordinator.state;

/**
 * Why a command changed nothing.
 *
 * @param reason what a program may do about it
 * @param message one or two sentences for people: what, and what to do next
 */
public record Refusal(Reason reason, String message) {
    /** Kinds of refusal. */
    public enum Reason {
        /** The command contradicts itself or a limit; it will be refused again. */
        INVALID,
        /** What it speaks of does not exist. */
        NOT_FOUND,
        /** It was made from a state that is no longer current; make it again. */
        STALE,
        /** A bound of the pool is reached. */
        FULL
    }
}
