package coop.sahkar.worker.engine;

import coop.sahkar.proto.SessionId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of one stage whose generation is over and whose KV is kept, for a chat's next turn;
 * in the order in which they came to rest. Bounded in number, in cells and in time.
 */
final class RestingSessions {
    /** Sessions that rest in one stage. */
    static final int MOST = 64;

    /**
     * The KV cells that several of them may fill are all cells divided by this. llama.cpp pays for
     * each cell in use with every token it computes, whosesoever the cell is.
     */
    static final int CELLS_DIVISOR = 8;

    /** The same for one alone: a long chat gains most from its next turn. */
    static final int LONE_CELLS_DIVISOR = 2;

    /** No session rests for longer, whatever its head asks for. */
    static final int MOST_MILLIS = 600_000;

    private final Map<SessionId, StageSession> sessions = new LinkedHashMap<>();

    @Nullable StageSession find(SessionId id) {
        return sessions.get(id);
    }

    void add(StageSession session) {
        sessions.put(session.id(), session);
    }

    /** Whether it rested here. */
    boolean remove(StageSession session) {
        return sessions.remove(session.id(), session);
    }

    int count() {
        return sessions.size();
    }

    /** KV cells that they fill. */
    int cells() {
        return sessions.values().stream().mapToInt(StageSession::held).sum();
    }

    /** Whether one of them has to go. */
    boolean tooMany(int kvCells) {
        int divisor = count() > 1 ? CELLS_DIVISOR : LONE_CELLS_DIVISOR;
        return count() > MOST || cells() > kvCells / divisor;
    }

    /** The one that has rested for longest; there is one. */
    StageSession oldest() {
        return sessions.values().iterator().next();
    }

    List<StageSession> expired(long nowNanos) {
        return sessions.values().stream().filter(s -> s.restUntilNanos() - nowNanos <= 0).toList();
    }

    /** How long until the first of them expires; the longest time when there is none. */
    long nanosToExpiry(long nowNanos) {
        return sessions.values().stream()
                .mapToLong(session -> Math.max(0, session.restUntilNanos() - nowNanos))
                .min()
                .orElse(Long.MAX_VALUE);
    }
}
