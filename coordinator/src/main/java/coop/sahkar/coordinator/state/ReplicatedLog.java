package coop.sahkar.coordinator.state;

import java.util.Optional;

/** The log that all coordinators share: commands go in here and nowhere else. */
public interface ReplicatedLog extends PoolView {
    /**
     * Has a command written and applied, on whichever coordinator leads. Waits for it, so never
     * call it from an event loop. The command is applied at most once, however often it is sent on
     * the way.
     *
     * @return why it was refused; empty when it was accepted and {@link #state()} shows it
     * @throws LogUnavailableException if no majority could be reached in time; at once, when this
     *     coordinator's own log has failed
     */
    Optional<Refusal> propose(Command command);

    /**
     * A linearizable read: the state with everything in it that was acknowledged anywhere before
     * the call. Waits for a majority, so never call it from an event loop. What {@link #state()}
     * shows without it may be older.
     *
     * @throws LogUnavailableException if no majority could be reached in time
     */
    PoolState latest();

    /**
     * For how many milliseconds {@link #state()} may have been outdated: the time since a majority
     * last confirmed it.
     */
    long ageMillis();

    /** Whether this coordinator leads now, as far as it knows. */
    boolean leads();

    /** The leader's id as far as it is known here; empty during an election. */
    String leaderId();

    /** Has {@code listener} called after every change of the state; it must return at once. */
    void onChange(Runnable listener);
}
