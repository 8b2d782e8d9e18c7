package coop.sahkar.worker.engine;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.StageMessage.KvPart;
import coop.sahkar.worker.engine.StageMessage.KvWanted;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The side of a worker that leaves: what a session held here goes to whoever takes the place in its
 * next route, as a coordinator signed it, and is freed then. Nobody waits for that: an heir that
 * gets nothing has it computed again.
 */
final class KvGiving {
    /** How long it is kept for an heir that has not asked, or not asked again. */
    static final int KEPT_MILLIS = 3_000;

    /** Memory that gifts of one stage take together, outside the cache. */
    static final long MOST_BYTES = 2L * Limits.MAX_KV_BYTES;

    private final SessionTable table;
    private final BatchRun batches;
    private final Outbox outbox;
    private final Stage stage;

    KvGiving(SessionTable table, BatchRun batches, Outbox outbox, Stage stage) {
        this.table = table;
        this.batches = batches;
        this.outbox = outbox;
        this.stage = stage;
    }

    /** The session goes on elsewhere; what it holds is kept for a moment. */
    void keep(StageSession session, int millis, long nowNanos) {
        if (session.gift() == null) {
            batches.forget(session);
            long most = TimeUnit.MILLISECONDS.toNanos(Math.min(millis, KEPT_MILLIS));
            session.give(new KvGift(nowNanos + most));
        }
    }

    /** Somebody asks for a portion. */
    void wanted(KvWanted wanted, long nowNanos) {
        Ticket next = wanted.ticket().ticket();
        RouteStage heir = next.stages().get(wanted.stage());
        StageSession session = table.find(next.session());
        if (session == null || !mayHave(session, next, heir, wanted)) {
            refuse(heir, next, wanted);
            return;
        }
        keep(session, KEPT_MILLIS, nowNanos);
        ParkedKv kv = parked(session, wanted);
        KvGift gift = session.gift();
        if (kv == null || gift == null || wanted.offset() < 0 || wanted.offset() >= kv.bytes()) {
            refuse(heir, next, wanted);
            remove(session);
            return;
        }
        gift.want(heir, next.epoch(), wanted.offset());
        send(session, gift);
    }

    /** The regular look at a session that was given away. */
    void look(StageSession session, KvGift gift, long nowNanos) {
        if (gift.over(nowNanos)) {
            remove(session);
        } else {
            send(session, gift);
        }
    }

    private void send(StageSession session, KvGift gift) {
        RouteStage heir = gift.heir();
        ParkedKv kv = session.kv().parked();
        if (heir != null
                && kv != null
                && !outbox.backedUp(heir)
                && gift.send(session, kv, heir, outbox)) {
            remove(session);
        }
    }

    private boolean mayHave(StageSession session, Ticket next, RouteStage heir, KvWanted wanted) {
        Ticket mine = session.ticket();
        return session.generation() == null
                && next.epoch() > mine.epoch()
                && next.modelId().equals(mine.modelId())
                && next.account().equals(mine.account())
                && heir.span().equals(session.self().span())
                && session.turn() == wanted.turn()
                && stage.kvFormat().equals(wanted.format());
    }

    /** What the session holds, outside the cache; null if there is nothing or too much. */
    private @Nullable ParkedKv parked(StageSession session, KvWanted wanted) {
        if (!session.kv().isParked()) {
            session.truncate(Math.min(session.held(), wanted.positions()));
            long taken = table.all().stream().mapToLong(other -> other.kv().parkedBytes()).sum();
            table.park(session, Math.min(Limits.MAX_KV_BYTES, MOST_BYTES - taken));
        }
        ParkedKv kv = session.kv().parked();
        return kv == null || kv.positions() > wanted.positions() ? null : kv;
    }

    private void refuse(RouteStage heir, Ticket next, KvWanted wanted) {
        outbox.send(heir, KvPart.none(next.session(), next.epoch(), wanted.leaver()));
    }

    private void remove(StageSession session) {
        batches.forget(session);
        table.remove(session);
    }
}
