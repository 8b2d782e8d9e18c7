package coop.sahkar.deploy.history;

/**
 * One operation on one register.
 *
 * @param by which client, through which coordinator, for people
 * @param action what was done; of one without an answer, what it would have done
 * @param calledNanos when it was called, by the one clock of all clients
 * @param returnedNanos when its answer came; {@link #NEVER} if it may take effect at any time since
 *     its call, or not at all
 */
public record Operation(String by, Action action, long calledNanos, long returnedNanos) {
    /** No answer that says what happened. */
    public static final long NEVER = Long.MAX_VALUE;

    /** Whether it took effect for certain. */
    public boolean acknowledged() {
        return returnedNanos != NEVER;
    }

    Operation unanswered() {
        return new Operation(by, action, calledNanos, NEVER);
    }

    /** For people, with times since a moment. */
    String since(long startNanos) {
        String what =
                switch (action) {
                    case Action.Read(String value) -> "reads " + value;
                    case Action.Write(String value) -> "writes " + value;
                    case Action.Swap(String expected, String value) ->
                            "swaps %s for %s".formatted(expected, value);
                };
        double called = (calledNanos - startNanos) / 1e6;
        return acknowledged()
                ? "%s %s, %.1f to %.1f ms"
                        .formatted(by, what, called, (returnedNanos - startNanos) / 1e6)
                : "%s %s, from %.1f ms on, with no answer until then".formatted(by, what, called);
    }
}
