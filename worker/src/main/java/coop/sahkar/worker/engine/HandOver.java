package coop.sahkar.worker.engine;

import coop.sahkar.worker.engine.StageMessage.Leaving;
import coop.sahkar.worker.head.HeadGeneration;
import java.util.concurrent.TimeUnit;

/**
 * A stage that is about to leave asks those who lead its sessions to lead them elsewhere: the heads
 * of routes that it is a part of, and the readers of what it is the head of. It asks again until
 * they have gone, for there may be nowhere to go yet.
 */
final class HandOver {
    /** Pause between two requests. */
    static final long AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final SessionTable table;
    private final Outbox outbox;
    private final HeadDesk heads;
    private boolean leaving;
    private long askedNanos;

    HandOver(SessionTable table, Outbox outbox, HeadDesk heads) {
        this.table = table;
        this.outbox = outbox;
        this.heads = heads;
    }

    /** The stage is about to leave. */
    void begin(long nowNanos) {
        leaving = true;
        ask(nowNanos);
    }

    /** The regular look. */
    void look(long nowNanos) {
        if (leaving && nowNanos - askedNanos >= AGAIN_NANOS) {
            ask(nowNanos);
        }
    }

    private void ask(long nowNanos) {
        askedNanos = nowNanos;
        for (StageSession session : table.all()) {
            if (session.generation() != null) {
                heads.tell(session, HeadGeneration::leaves);
            } else if (session.gift() == null) {
                String self = session.self().workerId();
                Leaving word = new Leaving(session.id(), session.epoch(), self);
                outbox.send(session.ticket().head(), word);
            }
        }
    }
}
