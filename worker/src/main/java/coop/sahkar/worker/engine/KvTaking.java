package coop.sahkar.worker.engine;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.RelayEndpoint;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.StageMessage.KvPart;
import coop.sahkar.worker.engine.StageMessage.KvWanted;
import coop.sahkar.worker.engine.StageMessage.Open;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The side of a worker that takes the place of one that leaves: it asks that one for what it holds
 * of the session, and says {@code NeedFrom} when it has it. If that comes to nothing, or takes
 * longer than computing it would, it says {@code NeedFrom(0)} as any newcomer does.
 */
final class KvTaking {
    /** Fewer positions are computed sooner than asked for. */
    static final int LEAST_POSITIONS = 16;

    /** If nothing comes for this long, nothing will. */
    static final long SILENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(400);

    /** It may take this long, however soon it could be computed. */
    static final long LEAST_NANOS = SILENCE_NANOS;

    /** And no longer than this. */
    static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(3);

    /** Memory for what is on its way to one stage. */
    static final long MOST_BYTES = 2L * Limits.MAX_KV_BYTES;

    private final SessionTable table;
    private final Stage stage;
    private final Outbox outbox;
    private final Replay replay;
    private final StageMeter meter;

    KvTaking(SessionTable table, Stage stage, Outbox outbox, Replay replay, StageMeter meter) {
        this.table = table;
        this.stage = stage;
        this.outbox = outbox;
        this.replay = replay;
        this.meter = meter;
    }

    /** A renewed route has been opened here: says what is held, or asks for it first. */
    void opened(StageSession session, Open open, long nowNanos) {
        RouteStage leaver = session.held() == 0 ? leaver(session, open) : null;
        int most = Math.min(open.keep().positions(), session.ticket().maxPositions());
        if (leaver == null || most < LEAST_POSITIONS) {
            replay.report(session, nowNanos);
            return;
        }
        boolean tail = session.downstream() == null;
        KvArrival arrival = new KvArrival(leaver, most, tail, nowNanos);
        session.awaits(arrival);
        ask(session, arrival);
    }

    /** The worker whose place this one has taken and that can be asked; null if there is none. */
    private static @Nullable RouteStage leaver(StageSession session, Open open) {
        SealedTicket sealed = open.before();
        if (sealed == null) {
            return null;
        }
        Ticket before = sealed.ticket();
        Ticket now = session.ticket();
        RouteStage self = session.self();
        boolean same =
                before.session().equals(now.session())
                        && before.modelId().equals(now.modelId())
                        && before.epoch() < now.epoch()
                        && !RelayEndpoint.relayed(self.endpoint());
        return before.stages().stream()
                .filter(place -> same && place.span().equals(self.span()))
                .filter(place -> !RelayEndpoint.relayed(place.endpoint()))
                .filter(place ->
                        now.stages().stream().noneMatch(s -> s.workerId().equals(place.workerId())))
                .findFirst()
                .orElse(null);
    }

    private void ask(StageSession session, KvArrival arrival) {
        outbox.send(
                arrival.from(),
                new KvWanted(
                        arrival.from().workerId(),
                        session.sealed(),
                        session.index(),
                        session.turn(),
                        arrival.most(),
                        stage.kvFormat(),
                        arrival.received()));
    }

    /** A piece has come. */
    void came(StageSession session, KvPart part, long nowNanos) {
        KvArrival arrival = session.arrival();
        if (arrival == null || !part.workerId().equals(arrival.from().workerId())) {
            meter.dropped.incrementAndGet();
            return;
        }
        switch (arrival.take(part, nowNanos)) {
            case MORE -> {}
            case PORTION -> ask(session, arrival);
            case ALL -> restore(session, arrival, nowNanos);
            case WRONG -> computeInstead(session, nowNanos);
        }
        if (taken() > MOST_BYTES) {
            computeInstead(session, nowNanos);
        }
    }

    private long taken() {
        long bytes = 0;
        for (StageSession session : table.all()) {
            KvArrival arrival = session.arrival();
            bytes += arrival == null ? 0 : arrival.received();
        }
        return bytes;
    }

    private void restore(StageSession session, KvArrival arrival, long nowNanos) {
        ParkedKv adopted = stage.adopt(arrival.positions(), arrival.pieces());
        if (adopted == null) {
            computeInstead(session, nowNanos);
            return;
        }
        try (adopted) {
            if (!stage.unpark(adopted, session.kv().sequence())) {
                computeInstead(session, nowNanos);
                return;
            }
        }
        session.moved(arrival.positions(), arrival.tokens());
        meter.moved.incrementAndGet();
        meter.rowsMoved.addAndGet(session.held());
        replay.report(session, nowNanos);
    }

    /** A link to a worker is gone. */
    void lost(StageSession session, String workerId, long nowNanos) {
        KvArrival arrival = session.arrival();
        if (arrival != null && arrival.from().workerId().equals(workerId)) {
            computeInstead(session, nowNanos);
        }
    }

    /** The regular look. */
    void look(StageSession session, long nowNanos) {
        KvArrival arrival = session.arrival();
        if (arrival == null) {
            return;
        }
        long computing = arrival.most() * meter.prefillRowNanos(MOST_NANOS / arrival.most());
        long patience = Math.clamp(computing, LEAST_NANOS, MOST_NANOS);
        if (nowNanos - arrival.heardNanos() > SILENCE_NANOS
                || nowNanos - arrival.beganNanos() > patience) {
            computeInstead(session, nowNanos);
        }
    }

    private void computeInstead(StageSession session, long nowNanos) {
        if (session.arrival() != null) {
            session.awaits(null);
            meter.notMoved.incrementAndGet();
            replay.report(session, nowNanos);
        }
    }
}
