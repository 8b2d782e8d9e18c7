package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Ticket;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which workers heads have lost lately, and beside whom, so that new routes keep away from a link
 * that stays broken. It is a price and no ban: whoever blames a worker may be wrong, and where
 * there is no other it is taken. A pair is remembered for a minute, and for twice as long each time
 * it is lost again after that. A worker that comes back at another address is another: it was
 * started again, and its links are new.
 *
 * <p>Soft state of one coordinator; losing it costs an answer the pause of one repair. Time is a
 * monotonic clock in milliseconds, passed in. Safe for use by many threads.
 */
public final class RecentLosses {
    /** What a way costs that was lost: more than any detour, and less than one known to be cut. */
    static final long PAIR_MICROS = 1_000_000;

    /** What all ways to a worker cost that was lost. */
    static final long WORKER_MICROS = 100_000;

    /** How long a first loss is remembered. */
    static final long FIRST_MILLIS = 60_000;

    /** Most doublings of it. */
    static final int MOST_DOUBLINGS = 4;

    /** One loss is told again and again while a route is looked for. */
    static final long SAME_LOSS_MILLIS = 15_000;

    /** Pairs remembered, and workers; the one lost longest ago goes first. */
    static final int MAX_REMEMBERED = 4096;

    /** Two neighbours in whatever order, or one worker beside itself. */
    private record Pair(String one, String other) {
        static Pair of(String a, String b) {
            return a.compareTo(b) <= 0 ? new Pair(a, b) : new Pair(b, a);
        }
    }

    private static String place(RouteStage stage) {
        return stage.workerId() + " " + stage.endpoint();
    }

    private static String place(StageOffer offer) {
        return offer.workerId() + " " + offer.endpoint();
    }

    private record Loss(long atMillis, int doublings) {
        boolean fresh(long nowMillis) {
            return nowMillis - atMillis < FIRST_MILLIS << doublings;
        }

        Loss again(long nowMillis) {
            boolean same = nowMillis - atMillis < SAME_LOSS_MILLIS;
            boolean recent = nowMillis - atMillis < (2 * FIRST_MILLIS) << doublings;
            int more = Math.min(doublings + 1, MOST_DOUBLINGS);
            return new Loss(nowMillis, same ? doublings : recent ? more : 0);
        }
    }

    private final Map<Pair, Loss> oldestFirst = new LinkedHashMap<>();
    private volatile boolean none = true;

    /** A session has lost a worker of its route. */
    public void lost(Ticket route, String workerId, long nowMillis) {
        List<RouteStage> stages = route.stages();
        for (int i = 0; i < stages.size(); i++) {
            if (stages.get(i).workerId().equals(workerId)) {
                String before = place(stages.get((i + stages.size() - 1) % stages.size()));
                String lost = place(stages.get(i));
                String behind = place(stages.get((i + 1) % stages.size()));
                remember(Pair.of(lost, lost), nowMillis);
                remember(Pair.of(before, lost), nowMillis);
                remember(Pair.of(lost, behind), nowMillis);
                return;
            }
        }
    }

    private synchronized void remember(Pair pair, long nowMillis) {
        Loss before = oldestFirst.remove(pair);
        oldestFirst.put(pair, before == null ? new Loss(nowMillis, 0) : before.again(nowMillis));
        if (oldestFirst.size() > MAX_REMEMBERED) {
            oldestFirst.remove(oldestFirst.keySet().iterator().next());
        }
        none = false;
    }

    /** What the way from one worker to another costs besides, in microseconds. */
    long micros(StageOffer from, StageOffer to, long nowMillis) {
        if (none) {
            return 0;
        }
        String there = place(to);
        Pair way = Pair.of(place(from), there);
        synchronized (this) {
            return (fresh(way, nowMillis) ? PAIR_MICROS : 0)
                    + (fresh(Pair.of(there, there), nowMillis) ? WORKER_MICROS : 0);
        }
    }

    private boolean fresh(Pair pair, long nowMillis) {
        Loss loss = oldestFirst.get(pair);
        return loss != null && loss.fresh(nowMillis);
    }

    /** Distances that count the losses in. */
    Distances over(Distances measured, long nowMillis) {
        return (from, to) -> measured.micros(from, to) + micros(from, to, nowMillis);
    }
}
