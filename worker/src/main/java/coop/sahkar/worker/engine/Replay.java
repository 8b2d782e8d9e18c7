package coop.sahkar.worker.engine;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.NeedFrom;
import coop.sahkar.worker.engine.StageMessage.Progress;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Fills gaps: asks the stage before for what is lacking here, and sends the stage behind what it
 * lacks, from the boundary log or, where that was evicted, from further up.
 */
final class Replay {
    private final Outbox outbox;
    private final StageMeter meter;
    private final int frameRows;
    private final long portionBytes;
    private final long againNanos;

    Replay(Outbox outbox, StageMeter meter, EngineLimits limits, BatchPolicy policy) {
        this.outbox = outbox;
        this.meter = meter;
        this.frameRows = policy.mostChunkRows();
        this.portionBytes = limits.replayBytes();
        this.againNanos = TimeUnit.MILLISECONDS.toNanos(limits.askAgainMillis());
    }

    /** Asks for the positions from {@code position} on, unless they are on their way. */
    void ask(StageSession session, int position, long nowNanos) {
        RouteStage before = session.upstream();
        long waited = nowNanos - session.askedNanos();
        if (before != null && SessionRules.asks(position, session.asked(), waited, againNanos)) {
            session.ask(position, nowNanos);
            meter.asked.incrementAndGet();
            outbox.send(before, new NeedFrom(session.id(), session.epoch(), position));
        }
    }

    /** On a renewed route: says what is held here, so that the neighbours know what to send. */
    void report(StageSession session, long nowNanos) {
        RouteStage before = session.upstream();
        if (before != null) {
            session.ask(session.held(), nowNanos);
            outbox.send(before, new NeedFrom(session.id(), session.epoch(), session.held()));
        }
        if (session.downstream() == null && session.held() > 0) {
            Progress progress = new Progress(session.id(), session.epoch(), session.held());
            outbox.send(session.ticket().head(), progress);
        }
    }

    /** Whether another portion of what is being sent again can follow. */
    boolean goesOn(StageSession session) {
        RouteStage next = session.downstream();
        return session.resends() && next != null && !outbox.backedUp(next);
    }

    /**
     * Sends the stage behind the positions from {@code position} on; of many a portion, and the
     * rest from time to time, as long as it {@link #goesOn}.
     *
     * @return false when they are not in the log any more and only the tokens can bring them back
     */
    boolean answer(StageSession session, int position, long nowNanos) {
        BoundaryLog log = session.log();
        RouteStage next = session.downstream();
        if (log == null || next == null || position < 0) {
            return true;
        }
        session.behindHolds(position);
        if (position >= log.end()) {
            // What is not computed yet cannot be lacking: the next frame will fit.
            return true;
        }
        List<Frame> again = log.from(position, session.epoch(), frameRows, portionBytes);
        if (!again.isEmpty()) {
            session.behindHolds(0);
            int sent = again.getLast().endPosition();
            if (sent < log.end()) {
                session.resend(sent);
            }
            again.forEach(frame -> outbox.add(next, frame));
            meter.resent.addAndGet(again.size());
            outbox.flush();
            return true;
        }
        ask(session, position, nowNanos);
        return session.index() > 0;
    }
}
