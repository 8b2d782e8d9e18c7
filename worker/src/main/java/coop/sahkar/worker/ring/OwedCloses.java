package coop.sahkar.worker.ring;

import coop.sahkar.worker.engine.StageMessage.Close;
import java.util.ArrayDeque;
import java.util.List;

/**
 * The sessions that a peer was lately told are over. A link may break with the word on its way, or
 * be broken when it is said; so each is said again on the peer's next link, until the peer would
 * have closed the session by itself. Hearing it twice does no harm.
 */
public final class OwedCloses {
    private record Owed(Close close, long saidNanos) {}

    private final ArrayDeque<Owed> oldestFirst = new ArrayDeque<>();

    /** A session is over. */
    public void said(Close close, long nowNanos) {
        expire(nowNanos);
        if (oldestFirst.size() == RingOptions.MAX_OWED_CLOSES) {
            oldestFirst.removeFirst();
        }
        oldestFirst.addLast(new Owed(close, nowNanos));
    }

    /** What to say on a new link, in order. */
    public List<Close> due(long nowNanos) {
        expire(nowNanos);
        return oldestFirst.stream().map(Owed::close).toList();
    }

    private void expire(long nowNanos) {
        oldestFirst.removeIf(owed -> nowNanos - owed.saidNanos >= RingOptions.OWED_CLOSE_NANOS);
    }
}
