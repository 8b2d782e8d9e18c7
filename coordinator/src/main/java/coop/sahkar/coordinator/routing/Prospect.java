package coop.sahkar.coordinator.routing;

/** What may be hoped for where there is no route now. */
public enum Prospect {
    /** Nothing that is known here: whoever asks again hopes for a worker that returns. */
    NONE,
    /** The placement is being changed, or is about to be, so that the model is served again. */
    HEALING,
    /** There is no route that keeps the session's head, but one that begins elsewhere. */
    ANOTHER_HEAD
}
