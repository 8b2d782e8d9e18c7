package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the chats rest whose last answer is complete: so that the next turn of one can go on in its
 * session. Soft state, lost with the process; losing it costs computing a chat's beginning again.
 *
 * <p>Nothing readable is kept, only keyed hashes (see {@link Trail}). A chat is taken out when its
 * next turn begins, so that no two requests run in one session. A hash that fits does not have to
 * be right: the head compares tokens, and what differs is computed anew. Thread-safe.
 */
final class Conversations {
    private final int most;
    private final Map<ByteBuffer, Entry> entries = new LinkedHashMap<>();

    /**
     * A session that rests.
     *
     * @param epoch number of its last route
     * @param workers ids of the workers of that route
     */
    record Rested(SessionId session, int epoch, List<String> workers) {}

    private record Entry(Rested rested, long untilMillis) {}

    /**
     * @param most chats that are remembered; those that ended longest ago are forgotten first
     */
    Conversations(int most) {
        this.most = most;
    }

    /** Takes out the chat that shares most of its messages with the beginning of this one. */
    synchronized @Nullable Rested take(Trail trail, long nowMillis) {
        forgetOld(nowMillis);
        for (ByteBuffer hash : trail.beginnings()) {
            Entry entry = entries.remove(hash);
            if (entry != null) {
                return entry.rested();
            }
        }
        return null;
    }

    /** A chat's answer is complete: its session rests along {@code route} for so long. */
    synchronized void put(Trail trail, Ticket route, long nowMillis, int restMillis) {
        forgetOld(nowMillis);
        List<String> workers = route.stages().stream().map(RouteStage::workerId).toList();
        Rested rested = new Rested(route.session(), route.epoch(), workers);
        ByteBuffer hash = trail.answered();
        if (hash == null) {
            return;
        }
        entries.remove(hash);
        entries.put(hash, new Entry(rested, nowMillis + restMillis));
        if (entries.size() > most) {
            entries.remove(entries.keySet().iterator().next());
        }
    }

    /** Chats remembered. */
    synchronized int size() {
        return entries.size();
    }

    private void forgetOld(long nowMillis) {
        entries.values().removeIf(entry -> nowMillis - entry.untilMillis() >= 0);
    }
}
