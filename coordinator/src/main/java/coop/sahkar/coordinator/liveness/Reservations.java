package coop.sahkar.coordinator.liveness;

import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What sessions routed over one worker from here take, as far as its last report does not say it
 * yet: those drawn since are added, and those ended since are taken off. Owned by the table's lock.
 */
final class Reservations {
    /** A session drawn this long before a report had reached the worker when it was written. */
    static final long SETTLE_MILLIS = 300;

    /** Sessions remembered; the oldest are in every report already. */
    private static final int MAX_SESSIONS = 4096;

    private final Map<SessionId, Room> drawn = new LinkedHashMap<>();
    private final SortedMap<String, Unreported> ended = new TreeMap<>();

    private static final class Room {
        final int epoch;
        final String modelId;
        final int positions;
        final long drawnMillis;
        boolean reported;

        Room(Ticket ticket, long drawnMillis) {
            this.epoch = ticket.epoch();
            this.modelId = ticket.modelId();
            this.positions = ticket.maxPositions();
            this.drawnMillis = drawnMillis;
        }
    }

    void drawn(Ticket ticket, long nowMillis) {
        released(ticket);
        drawn.put(ticket.session(), new Room(ticket, nowMillis));
        if (drawn.size() > MAX_SESSIONS) {
            drawn.remove(drawn.keySet().iterator().next());
        }
    }

    /** Whatever a newer route of the session has taken stays taken. */
    void released(Ticket ticket) {
        Room room = drawn.get(ticket.session());
        if (room == null || room.epoch > ticket.epoch()) {
            return;
        }
        drawn.remove(ticket.session());
        if (room.reported) {
            ended.merge(room.modelId, new Unreported(-1, -room.positions), Unreported::plus);
        }
    }

    /** A report arrived. */
    void reported(long nowMillis) {
        ended.clear();
        for (Room room : drawn.values()) {
            room.reported |= nowMillis - room.drawnMillis >= SETTLE_MILLIS;
        }
    }

    /** The worker's stream is a new one: it holds no session of ours. */
    void clear() {
        drawn.clear();
        ended.clear();
    }

    /** KV positions that a session has here already. */
    int held(SessionId session) {
        Room room = drawn.get(session);
        return room == null ? 0 : room.positions;
    }

    /** By model. */
    SortedMap<String, Unreported> unreported() {
        if (drawn.isEmpty() && ended.isEmpty()) {
            return Collections.emptySortedMap();
        }
        SortedMap<String, Unreported> all = new TreeMap<>(ended);
        for (Room room : drawn.values()) {
            if (!room.reported) {
                all.merge(room.modelId, new Unreported(1, room.positions), Unreported::plus);
            }
        }
        return all;
    }
}
