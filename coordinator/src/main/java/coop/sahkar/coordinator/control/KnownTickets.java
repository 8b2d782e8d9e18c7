package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.state.PoolView;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.v1.SignedTicket;
import java.util.function.LongSupplier;

/**
 * Checks tickets of sessions that run, whichever coordinator signed them: the replicated state has
 * the keys of all.
 */
public final class KnownTickets {
    /** A ticket lets nobody in after its time, but its session may run on for so much longer. */
    private static final long MOST_OVERTIME_MILLIS = 24 * 60 * 60 * 1000L;

    private final PoolView pool;
    private final LongSupplier unixMillis;

    /**
     * @param unixMillis the time that tickets expire by
     */
    public KnownTickets(PoolView pool, LongSupplier unixMillis) {
        this.pool = pool;
        this.unixMillis = unixMillis;
    }

    /** The same ticket as valid, if its session may still run; otherwise what is wrong with it. */
    public Tickets.Opened open(SignedTicket signed) {
        long now = unixMillis.getAsLong();
        return switch (Tickets.open(signed, pool.state()::ticketKey, now)) {
            case Tickets.Expired(SealedTicket sealed, var problem) ->
                    now - sealed.ticket().expiresAtMillis() < MOST_OVERTIME_MILLIS
                            ? new Tickets.Valid(sealed)
                            : new Tickets.Refused(problem);
            case Tickets.Valid valid -> valid;
            case Tickets.Refused refused -> refused;
        };
    }
}
