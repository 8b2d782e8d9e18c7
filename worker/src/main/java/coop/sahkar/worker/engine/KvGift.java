package coop.sahkar.worker.engine;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.worker.engine.StageMessage.KvPart;
import org.jspecify.annotations.Nullable;

/** What a session that has gone elsewhere leaves to the worker that takes the place. */
final class KvGift {
    /** Bytes that are sent at once; the heir asks for the next when it has these. */
    static final long PORTION_BYTES = 4L << 20;

    /** Bytes of one piece. */
    static final int PIECE_BYTES = 1 << 20;

    private static final long NOTHING_WANTED = -1;

    private final long untilNanos;
    private @Nullable RouteStage to;
    private int epoch;
    private long wanted = NOTHING_WANTED;

    /** Kept until then; nobody has asked for it yet. */
    KvGift(long untilNanos) {
        this.untilNanos = untilNanos;
    }

    boolean over(long nowNanos) {
        return nowNanos - untilNanos > 0;
    }

    /** The portion from {@code offset} on is wanted, on the route of that epoch. */
    void want(RouteStage heir, int newEpoch, long offset) {
        to = heir;
        epoch = newEpoch;
        wanted = offset;
    }

    /** Who wants a portion now; null if nobody does. */
    @Nullable RouteStage heir() {
        return wanted == NOTHING_WANTED ? null : to;
    }

    /**
     * Sends the portion that is wanted.
     *
     * @return whether it was the last
     */
    boolean send(StageSession session, ParkedKv kv, RouteStage heir, Outbox outbox) {
        long end = Math.min(kv.bytes(), wanted + PORTION_BYTES);
        for (long at = wanted; at < end; at += PIECE_BYTES) {
            int length = (int) Math.min(PIECE_BYTES, end - at);
            int[] tokens = at == 0 ? session.tokens(kv.positions()) : new int[0];
            outbox.send(
                    heir,
                    new KvPart(
                            session.id(),
                            epoch,
                            session.self().workerId(),
                            kv.positions(),
                            kv.bytes(),
                            at,
                            tokens,
                            kv.piece(at, length)));
        }
        wanted = NOTHING_WANTED;
        return end == kv.bytes();
    }
}
