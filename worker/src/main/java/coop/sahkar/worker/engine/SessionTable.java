package coop.sahkar.worker.engine;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of one stage and the room they take. A session reserves one sequence and as many KV
 * cells as its ticket allows positions before it is let in, so that none that was let in can run
 * out of room later.
 */
final class SessionTable {
    private final Stage stage;
    private final StageShape shape;
    private final EngineLimits limits;
    private final LogBudget logBudget;
    private final StageMeter meter;
    private final Map<SessionId, StageSession> sessions = new LinkedHashMap<>();
    private final BitSet sequences = new BitSet();
    private int reserved;

    SessionTable(Stage stage, EngineLimits limits, StageMeter meter) {
        this.stage = stage;
        this.shape = stage.shape();
        this.limits = limits;
        this.logBudget = new LogBudget(limits.logBytesPerEngine());
        this.meter = meter;
    }

    @Nullable StageSession find(SessionId id) {
        return sessions.get(id);
    }

    /** All sessions as they are now; safe to remove from while going through them. */
    List<StageSession> all() {
        return List.copyOf(sessions.values());
    }

    /** Why a session cannot be let in; null if it can. */
    @Nullable Problem refusal(Ticket ticket, int index) {
        String worker = ticket.stages().get(index).workerId();
        int free = shape.kvCells() - reserved;
        if (ticket.maxPositions() > shape.kvCells()) {
            return Problem.of(
                    Problem.Kind.CONTEXT_LENGTH_EXCEEDED,
                    "The session needs room for %d positions; worker %s has %d in all."
                            .formatted(ticket.maxPositions(), worker, shape.kvCells()));
        }
        if (ticket.maxPositions() > free) {
            return overloaded(
                    "Worker %s has room for %d positions and the session needs %d."
                            .formatted(worker, free, ticket.maxPositions()));
        }
        if (sessions.size() >= shape.maxSequences()) {
            return overloaded(
                    "Worker %s runs %d sessions, the most it can."
                            .formatted(worker, sessions.size()));
        }
        return null;
    }

    /** Lets a session in that {@link #refusal} has nothing against. */
    StageSession open(SealedTicket sealed, int index, Sampling sampling, long nowNanos) {
        Ticket ticket = sealed.ticket();
        int sequence = sequences.nextClearBit(0);
        sequences.set(sequence);
        BoundaryLog log =
                index + 1 < ticket.stages().size()
                        ? new BoundaryLog(logBudget, limits.logBytesPerSession())
                        : null;
        StageSession session =
                new StageSession(stage, sequence, log, sealed, index, sampling, nowNanos);
        sessions.put(ticket.session(), session);
        reserve(ticket.maxPositions());
        return session;
    }

    /** Takes a session over to a newer route, if its room suffices; false if it does not. */
    boolean reroute(StageSession session, StageMessage.Open open) {
        int change = open.ticket().ticket().maxPositions() - session.ticket().maxPositions();
        if (change > shape.kvCells() - reserved) {
            return false;
        }
        reserve(change);
        session.reroute(open.ticket(), open.stage(), open.sampling(), open.keep());
        return true;
    }

    /** Frees all that a session took; once, however often its end is found out. */
    void remove(StageSession session) {
        if (!sessions.remove(session.id(), session)) {
            return;
        }
        session.close();
        sequences.clear(session.sequence());
        reserve(-session.ticket().maxPositions());
    }

    private void reserve(int change) {
        reserved += change;
        meter.kvReserved.set(reserved);
        meter.sessions.set(sessions.size());
    }

    private Problem overloaded(String message) {
        return new Problem(
                Problem.Kind.OVERLOADED,
                message + " Try again in a moment.",
                "",
                limits.retryAfterMillis());
    }
}
