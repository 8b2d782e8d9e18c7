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
 * out of room later. Sessions that rest reserve nothing: whoever needs their room gets it.
 */
final class SessionTable {
    private final Stage stage;
    private final StageShape shape;
    private final EngineLimits limits;
    private final LogBudget logBudget;
    private final StageMeter meter;
    private final Map<SessionId, StageSession> sessions = new LinkedHashMap<>();
    private final RestingSessions resting = new RestingSessions();
    private final BitSet sequences = new BitSet();
    private int reserved;

    SessionTable(Stage stage, EngineLimits limits, LogRoom logs, StageMeter meter) {
        this.stage = stage;
        this.shape = stage.shape();
        this.limits = limits;
        this.logBudget = new LogBudget(logs);
        this.meter = meter;
    }

    /** The session if a generation runs in it. */
    @Nullable StageSession find(SessionId id) {
        return sessions.get(id);
    }

    /** The session, whether a generation runs in it or it rests. */
    @Nullable StageSession known(SessionId id) {
        StageSession session = sessions.get(id);
        return session == null ? resting.find(id) : session;
    }

    /** All sessions that run as they are now; safe to remove from while going through them. */
    List<StageSession> all() {
        return List.copyOf(sessions.values());
    }

    /** All that rest. */
    List<StageSession> resting() {
        return resting.all();
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
    StageSession open(StageMessage.Open open, long nowNanos) {
        SealedTicket sealed = open.ticket();
        int index = open.stage();
        Ticket ticket = sealed.ticket();
        int sequence = freeSequence(sessions.size());
        BoundaryLog log = index + 1 < ticket.stages().size() ? new BoundaryLog(logBudget) : null;
        StageSession session =
                new StageSession(
                        stage,
                        sequence,
                        log,
                        sealed,
                        index,
                        open.sampling(),
                        open.keep(),
                        nowNanos);
        session.reached(open.keep().most());
        sessions.put(ticket.session(), session);
        reserve(ticket.maxPositions());
        return session;
    }

    /** A sequence for one more than {@code running} sessions; there is room for one. */
    private int freeSequence(int running) {
        while (running + resting.seated() >= shape.maxSequences()) {
            if (!give(resting.oldestInCache())) {
                throw new IllegalStateException("more sessions than sequences");
            }
        }
        int sequence = sequences.nextClearBit(0);
        sequences.set(sequence);
        return sequence;
    }

    /**
     * Takes a session over to a newer route, if its room suffices; false if it does not. What it
     * holds may have to be brought back with {@link StageSession#wake} before it computes.
     */
    boolean reroute(StageSession session, StageMessage.Open open) {
        boolean rested = session.resting();
        int before = rested ? 0 : session.ticket().maxPositions();
        int change = open.ticket().ticket().maxPositions() - before;
        if (change > shape.kvCells() - reserved
                || (rested && sessions.size() >= shape.maxSequences())) {
            return false;
        }
        if (rested) {
            resting.remove(session);
            if (session.kv().isParked()) {
                session.kv().seat(freeSequence(sessions.size()));
            }
            sessions.put(session.id(), session);
        }
        session.reroute(open);
        if (rested) {
            meter.rowsReused.addAndGet(session.held());
        } else {
            meter.reopened.incrementAndGet();
        }
        reserve(change);
        return true;
    }

    /** A session's generation is over; what it holds is kept as long as nobody needs the room. */
    void rest(StageSession session, long untilNanos) {
        sessions.remove(session.id());
        session.rest(untilNanos);
        park(session, RestingSessions.MOST_BYTES);
        resting.add(session);
        reserve(-session.ticket().maxPositions());
        while (give(resting.surplus(shape.kvCells()))) {}
    }

    /** Takes what a session holds out of the cache, if that takes no more than so many bytes. */
    void park(StageSession session, long mostBytes) {
        int sequence = session.kv().sequence();
        session.kv().park(mostBytes);
        if (session.kv().isParked()) {
            sequences.clear(sequence);
        }
    }

    /** Gives the room of one that rests to others; false when there is none. */
    private boolean give(@Nullable StageSession rests) {
        if (rests != null) {
            remove(rests);
        }
        return rests != null;
    }

    /** Frees the sessions that have rested for long enough. */
    void expire(long nowNanos) {
        resting.expired(nowNanos).forEach(this::remove);
    }

    /** Frees all sessions that rest. */
    void dropResting() {
        while (resting.count() > 0) {
            remove(resting.oldest());
        }
    }

    /** How long until a session has rested for long enough; the longest time when none rests. */
    long nanosToExpiry(long nowNanos) {
        return resting.nanosToExpiry(nowNanos);
    }

    /** Frees all that a session took; once, however often its end is found out. */
    void remove(StageSession session) {
        boolean rested = session.resting();
        boolean here = rested ? resting.remove(session) : sessions.remove(session.id(), session);
        if (!here) {
            return;
        }
        int sequence = session.kv().sequence();
        session.close();
        if (sequence != SessionKv.NONE) {
            sequences.clear(sequence);
        }
        reserve(rested ? 0 : -session.ticket().maxPositions());
    }

    private void reserve(int change) {
        reserved += change;
        while (reserved + resting.cells() > shape.kvCells() && give(resting.oldestInCache())) {}
        meter.resting.set(resting.count());
        meter.restingCells.set(resting.positions());
        meter.restingBytes.set(resting.bytes());
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
