package coop.sahkar.worker.engine;

import coop.sahkar.proto.SessionId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of one stage whose generation is over and whose KV is kept, for a chat's next turn;
 * in the order in which they came to rest. Bounded in number, in memory, in cells and in time.
 *
 * <p>llama.cpp pays for each cell in use with every token it computes, whosesoever the cell is. So
 * a session that rests leaves the cache, where it would slow the others; one that is too large for
 * that stays, and few may.
 */
final class RestingSessions {
    /** Sessions that rest in one stage. */
    static final int MOST = 64;

    /**
     * Memory for what they hold outside the cache. It comes on top of what a shard is reckoned
     * with, as the worker's heap does.
     */
    static final long MOST_BYTES = 32L << 20;

    /** The KV cells that several of them may fill are all cells divided by this. */
    static final int CELLS_DIVISOR = 16;

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

    List<StageSession> all() {
        return List.copyOf(sessions.values());
    }

    /** Whether it rested here. */
    boolean remove(StageSession session) {
        return sessions.remove(session.id(), session);
    }

    int count() {
        return sessions.size();
    }

    /** Those of them that have a sequence of the cache. */
    int seated() {
        return (int) inCache().count();
    }

    /** KV cells that those fill. */
    int cells() {
        return inCache().mapToInt(StageSession::held).sum();
    }

    /** Positions that all of them hold. */
    int positions() {
        return sessions.values().stream().mapToInt(StageSession::held).sum();
    }

    /** Memory that they take outside the cache. */
    long bytes() {
        return sessions.values().stream().mapToLong(session -> session.kv().parkedBytes()).sum();
    }

    /** One that has to go because there are too many; null when there are not. */
    @Nullable StageSession surplus(int kvCells) {
        int divisor = seated() > 1 ? CELLS_DIVISOR : LONE_CELLS_DIVISOR;
        if (cells() > kvCells / divisor) {
            return oldestInCache();
        }
        if (bytes() > MOST_BYTES) {
            return parked().findFirst().orElse(null);
        }
        return count() > MOST ? oldest() : null;
    }

    /** The one that has rested for longest; there is one. */
    StageSession oldest() {
        return sessions.values().iterator().next();
    }

    /** The same of those in the cache; null when none is. */
    @Nullable StageSession oldestInCache() {
        return inCache().findFirst().orElse(null);
    }

    private Stream<StageSession> inCache() {
        return sessions.values().stream().filter(session -> !session.kv().isParked());
    }

    private Stream<StageSession> parked() {
        return sessions.values().stream().filter(session -> session.kv().isParked());
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
