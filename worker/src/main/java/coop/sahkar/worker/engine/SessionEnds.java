package coop.sahkar.worker.engine;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.worker.engine.StageMessage.Close;
import coop.sahkar.worker.engine.StageMessage.Failed;
import coop.sahkar.worker.head.HeadGeneration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Ends the sessions of one stage: frees them, or lets them rest for the chat's next turn. */
final class SessionEnds {
    private final SessionTable table;
    private final BatchRun batches;
    private final Outbox outbox;
    private final HeadDesk heads;
    private final Admission admission;
    private final KvGiving giving;
    private final LongSupplier nanoClock;

    SessionEnds(
            SessionTable table,
            BatchRun batches,
            Outbox outbox,
            HeadDesk heads,
            Admission admission,
            KvGiving giving,
            LongSupplier nanoClock) {
        this.table = table;
        this.batches = batches;
        this.outbox = outbox;
        this.heads = heads;
        this.admission = admission;
        this.giving = giving;
        this.nanoClock = nanoClock;
    }

    /**
     * Ends a session without success and tells its head why.
     *
     * @param workerId the worker at fault
     * @param lost a worker that nothing can be sent to any more; null when there is none
     */
    void fail(StageSession session, Problem problem, String workerId, @Nullable String lost) {
        RouteStage head = session.ticket().head();
        if (session.generation() != null) {
            heads.tell(session, generation -> generation.fail(problem, workerId));
        } else if (!head.workerId().equals(lost)) {
            outbox.send(head, new Failed(session.id(), session.epoch(), problem, workerId));
        }
        end(session, lost, 0);
    }

    /**
     * Frees a head's session in all stages, or lets it rest there after a generation that went
     * well. Where a link is broken the word does not get through.
     */
    void endEverywhere(StageSession session) {
        List<RouteStage> stages = session.ticket().stages();
        HeadGeneration generation = session.generation();
        int restMillis = generation == null || generation.failed() ? 0 : generation.restMillis();
        end(session, null, restMillis);
        if (generation != null && generation.failed()) {
            for (int i = 2; i < stages.size(); i++) {
                outbox.send(stages.get(i), new Close(session.id(), session.epoch()));
            }
        }
    }

    /** Frees a session here and in the stages behind, or lets it rest for a while. */
    void end(StageSession session, @Nullable String lost, int restMillis) {
        RouteStage next = session.downstream();
        if (next != null && !next.workerId().equals(lost)) {
            outbox.send(next, new Close(session.id(), session.epoch(), restMillis));
        }
        if (restMillis > 0 && !admission.draining()) {
            int most = Math.min(restMillis, RestingSessions.MOST_MILLIS);
            batches.forget(session);
            table.rest(session, nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(most));
        } else {
            free(session);
        }
    }

    /** The stage before, or the head, says that a session is over. */
    void closed(Close close) {
        StageSession session = table.known(close.session());
        if (session == null || close.epoch() < session.epoch()) {
            return;
        }
        if (close.hereOnly() && close.restMillis() > 0 && session.generation() == null) {
            giving.keep(session, close.restMillis(), nanoClock.getAsLong());
        } else if (close.hereOnly()) {
            free(session);
        } else if (!session.resting()) {
            end(session, null, close.restMillis());
        } else if (close.restMillis() == 0) {
            free(session);
        }
    }

    /** Frees a session here. */
    void free(StageSession session) {
        batches.forget(session);
        table.remove(session);
    }
}
