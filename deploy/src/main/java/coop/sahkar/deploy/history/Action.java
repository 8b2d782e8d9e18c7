package coop.sahkar.deploy.history;

/** What was done to a register, with what came out of it. */
public sealed interface Action {
    /** It was seen to have a value; a swap that was refused has seen one too. */
    record Read(String value) implements Action {}

    /** It was given a value. */
    record Write(String value) implements Action {}

    /** It was given a value because it had the expected one. */
    record Swap(String expected, String value) implements Action {}
}
