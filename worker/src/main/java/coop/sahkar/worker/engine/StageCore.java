package coop.sahkar.worker.engine;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.StageMessage.Close;
import coop.sahkar.worker.engine.StageMessage.Failed;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.Frames;
import coop.sahkar.worker.engine.StageMessage.KvPart;
import coop.sahkar.worker.engine.StageMessage.KvWanted;
import coop.sahkar.worker.engine.StageMessage.Leaving;
import coop.sahkar.worker.engine.StageMessage.NeedFrom;
import coop.sahkar.worker.engine.StageMessage.Open;
import coop.sahkar.worker.engine.StageMessage.Probe;
import coop.sahkar.worker.engine.StageMessage.ProbeAnswer;
import coop.sahkar.worker.engine.StageMessage.Progress;
import coop.sahkar.worker.engine.StageMessage.Token;
import coop.sahkar.worker.engine.StageMessage.Tokens;
import coop.sahkar.worker.head.Chunk;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.HeadGeneration;
import coop.sahkar.worker.head.Reroute;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * All that a stage does, without its thread: takes messages in, computes one batch at a time, sends
 * results on. The engine calls it from its one thread; a simulation calls it from its loop.
 */
final class StageCore {
    private static final long ORPHAN_NANOS =
            TimeUnit.MILLISECONDS.toNanos(EngineLimits.ORPHAN_MILLIS);

    private final StageShape shape;
    private final EngineLimits limits;
    private final LongSupplier nanoClock;
    private final StageMeter meter;
    private final Outbox outbox;
    private final SessionTable table;
    private final BatchRun batches;
    private final HeadDesk heads;
    private final Admission admission;
    private final BatchWork work;
    private final Replay replay;
    private final HeadRepairs repairs;
    private final SessionEnds ends;
    private final KvGiving giving;
    private final KvTaking taking;
    private final HandOver handOver;

    StageCore(
            LoadedStage loaded,
            Rows rows,
            Links links,
            EngineLimits limits,
            LogRoom logs,
            BatchPolicy policy,
            StageMeter meter,
            LongSupplier nanoClock,
            HeadRepairs.RouteQuestion routes) {
        Stage stage = loaded.stage();
        this.shape = stage.shape();
        this.limits = limits;
        this.nanoClock = nanoClock;
        this.meter = meter;
        this.outbox = new Outbox(links);
        this.table = new SessionTable(stage, limits, logs, meter);
        this.batches = new BatchRun(shape, policy, rows);
        this.admission = new Admission(table, shape, limits);
        this.replay = new Replay(outbox, meter, limits, policy);
        this.heads = new HeadDesk(loaded.vocabulary(), policy, limits);
        this.work =
                new BatchWork(
                        stage,
                        rows,
                        table,
                        batches,
                        new Delivery(stage, outbox),
                        heads,
                        meter,
                        nanoClock,
                        this::accept,
                        this::refused);
        this.giving = new KvGiving(table, batches, outbox, stage);
        this.taking = new KvTaking(table, stage, outbox, replay, meter);
        this.ends = new SessionEnds(table, batches, outbox, heads, admission, giving, nanoClock);
        this.handOver = new HandOver(table, outbox, heads);
        this.repairs =
                new HeadRepairs(
                        table,
                        batches,
                        outbox,
                        heads,
                        meter,
                        routes,
                        session -> feed(session, nanoClock.getAsLong()));
    }

    /** Takes a message from a peer. */
    void accept(StageMessage message, long arrivedNanos) {
        switch (message) {
            case Open open -> onOpen(open);
            case Frames(List<Frame> frames) ->
                    frames.forEach(frame -> onFrame(frame, arrivedNanos));
            case Tokens(List<Token> tokens) ->
                    tokens.forEach(token -> onToken(token, arrivedNanos));
            case Progress progress -> onProgress(progress, arrivedNanos);
            case NeedFrom need -> onNeedFrom(need);
            case Close close -> ends.closed(close);
            case Failed failed -> onFailed(failed);
            case Leaving leaving -> onLeaving(leaving);
            case Probe probe -> onProbe(probe);
            case ProbeAnswer answer -> onProbeAnswer(answer);
            case KvWanted wanted -> giving.wanted(wanted, nanoClock.getAsLong());
            case KvPart part -> onKvPart(part);
        }
    }

    /** Runs a generation from this head; its sink hears if that cannot be. */
    void start(GenerationStart wanted) {
        Ticket ticket = wanted.ticket().ticket();
        StageSession known = table.known(ticket.session());
        GenerationStart start = HeadDesk.goingOn(wanted, known);
        Problem problem = heads.fault(start, shape);
        if (problem == null) {
            problem = known == null ? admission.refusal(ticket, 0) : heads.older(known, ticket);
        }
        if (problem != null) {
            HeadDesk.refuse(start.sink(), problem, "");
            return;
        }
        long now = nanoClock.getAsLong();
        Open open = heads.opening(start, known);
        StageSession session = known;
        if (session == null) {
            session = table.open(open, now);
        } else if (!takeOver(session, open)) {
            HeadDesk.refuse(start.sink(), admission.noRoom(ticket), "");
            return;
        }
        openNext(open);
        session.wake();
        HeadGeneration generation = heads.generation(start, session.held(), now);
        session.drive(generation);
        heads.tell(session, HeadGeneration::begin);
        feed(session, now);
    }

    /** Nobody wants this generation, as it was started in {@code epoch}, any more. */
    void cancel(SessionId id, int epoch) {
        StageSession session = table.find(id);
        HeadGeneration generation = session == null ? null : session.generation();
        if (session != null && generation != null && generation.startedIn() == epoch) {
            heads.tell(session, HeadGeneration::cancel);
            feed(session, nanoClock.getAsLong());
        }
    }

    /**
     * A link broke. A head repairs the routes that have the worker behind it; any other stage tells
     * the heads, and keeps what it holds for a while. It tells a head once of each loss on a route:
     * where the way to the head is lost too, saying so comes back here as another loss, and two
     * lost heads would be told of each other without end.
     */
    void peerLost(String workerId, String reason) {
        Problem problem = HeadRepairs.lostProblem(workerId, reason);
        long now = nanoClock.getAsLong();
        for (StageSession session : table.all()) {
            taking.lost(session, workerId, now);
            if (session.generation() != null) {
                repairs.lost(session, workerId, problem, now);
            } else if (session.gift() == null
                    && session.needs(workerId)
                    && session.orphan(workerId, now)) {
                RouteStage head = session.ticket().head();
                if (!head.workerId().equals(workerId)) {
                    Failed failed = new Failed(session.id(), session.epoch(), problem, workerId);
                    outbox.send(head, failed);
                }
            }
        }
    }

    /** What asking for another route came to. */
    void rerouted(SessionId id, Reroute answer) {
        StageSession session = table.find(id);
        if (session != null) {
            repairs.answered(session, answer, nanoClock.getAsLong());
        }
    }

    /** Lets no new sessions in from here on. */
    void drain() {
        admission.drain();
        table.dropResting();
    }

    /** Has the sessions that run here led elsewhere, from here on, where there is anywhere. */
    void leave() {
        handOver.begin(nanoClock.getAsLong());
    }

    /** Looks after what time has made of sessions. */
    void tick() {
        long now = nanoClock.getAsLong();
        long idleNanos = limits.idleNanos(meter.slowestBatchNanos(now));
        table.expire(now);
        handOver.look(now);
        for (StageSession session : table.all()) {
            KvGift gift = session.gift();
            if (gift != null) {
                giving.look(session, gift, now);
                continue;
            }
            taking.look(session, now);
            if (replay.goesOn(session)) {
                resend(session, session.resendFrom(), now);
            }
            if (session.generation() != null) {
                repairs.look(session, now);
                heads.tell(session, generation -> generation.checkStall(now));
                feed(session, now);
            } else if (now - session.activeNanos() > idleNanos
                    || session.abandoned(now, ORPHAN_NANOS)) {
                ends.end(session, null, 0);
            } else if (session.asked() != SessionRules.NOTHING_ASKED) {
                replay.ask(session, session.asked(), now);
            }
        }
    }

    /** Whether a batch can be computed. */
    boolean ready() {
        return !batches.empty();
    }

    List<StageSession> sessions() {
        return table.all();
    }

    List<StageSession> resting() {
        return table.resting();
    }

    /** When idle: how long there is nothing to look after. */
    long idleNanos() {
        return table.nanosToExpiry(nanoClock.getAsLong());
    }

    int waitingRows() {
        return batches.waitingRows();
    }

    /** How batches are computed. */
    BatchWork work() {
        return work;
    }

    /** What can wait until no rows do. */
    void rest() {
        heads.tellReaders();
    }

    /** Ends everything without success. */
    void failAll(Problem problem) {
        for (StageSession session : table.all()) {
            ends.fail(session, problem, session.self().workerId(), null);
        }
        table.dropResting();
    }

    private void onOpen(Open open) {
        Ticket ticket = open.ticket().ticket();
        StageSession known = table.known(ticket.session());
        if (known != null
                && ticket.epoch() == known.epoch()
                && known.upstream() != null
                && !known.resting()) {
            if (known.arrival() == null) {
                replay.report(known, nanoClock.getAsLong()); // said twice: the answer is the same
            }
            return;
        }
        boolean older = known != null && known.hasSeen(ticket.epoch());
        if (older || shape.head() || open.stage() < 1 || open.stage() >= ticket.stages().size()) {
            // A head opens its sessions itself; nobody else does.
            meter.dropped.incrementAndGet();
            return;
        }
        if (known != null && known.gift() != null && known.kv().isParked()) {
            ends.free(known); // it has come back, but what it held is on its way elsewhere
            known = null;
        }
        long now = nanoClock.getAsLong();
        Problem problem =
                known == null ? admission.open(open, now) : admission.reopen(known, open, now);
        if (problem == null) {
            openNext(open);
            StageSession opened = table.find(ticket.session());
            if (opened != null && opened.renewed()) {
                opened.wake();
                batches.forget(opened);
                taking.opened(opened, open, now);
            }
            return;
        }
        if (known != null) {
            ends.free(known);
        }
        String self = ticket.stages().get(open.stage()).workerId();
        outbox.send(ticket.head(), new Failed(ticket.session(), ticket.epoch(), problem, self));
    }

    private void openNext(Open open) {
        List<RouteStage> route = open.ticket().ticket().stages();
        int next = open.stage() + 1;
        if (next < route.size()) {
            outbox.send(route.get(next), open.behind());
        }
    }

    private void onFrame(Frame frame, long arrivedNanos) {
        StageSession session = known(frame.session(), frame.epoch());
        if (session == null || session.upstream() == null) {
            return;
        }
        session.touch(arrivedNanos);
        int most = session.ticket().maxPositions();
        String fault = HiddenStates.fault(frame, shape, most);
        if (fault != null) {
            RouteStage sender = session.ticket().stages().get(session.index() - 1);
            ends.fail(session, Problem.of(Problem.Kind.PROTOCOL, fault), sender.workerId(), null);
            return;
        }
        switch (SessionRules.onFrame(
                session.epoch(),
                session.end(),
                session.asked(),
                frame.epoch(),
                frame.firstPosition())) {
            case SessionRules.Compute _ -> {
                session.accept(frame, arrivedNanos);
                batches.ready(session);
            }
            case SessionRules.AskFrom(int position) ->
                    replay.ask(session, position, nanoClock.getAsLong());
            case SessionRules.Wait _ -> meter.waited.incrementAndGet();
            case SessionRules.Stale _ -> meter.dropped.incrementAndGet();
        }
    }

    private void onToken(Token token, long arrivedNanos) {
        StageSession session = known(token.session(), token.epoch());
        if (session != null) {
            hear(session, token);
            feed(session, arrivedNanos);
        }
    }

    /** Tells a generation of its token, but does not feed what it has next. */
    void hear(StageSession session, Token token) {
        meter.came(session, token);
        heads.tell(session, head -> head.onToken(token, nanoClock.getAsLong()));
        heads.tellLater(session);
    }

    private void onProgress(Progress progress, long arrivedNanos) {
        StageSession session = known(progress.session(), progress.epoch());
        if (session != null) {
            heads.tell(
                    session, head -> head.onProgress(progress.position(), nanoClock.getAsLong()));
            feed(session, arrivedNanos);
        }
    }

    private void onNeedFrom(NeedFrom need) {
        StageSession session = known(need.session(), need.epoch());
        if (session == null) {
            return;
        }
        // No sign of life: who asks may itself have been left behind.
        long now = nanoClock.getAsLong();
        resend(session, need.position(), now);
    }

    private void resend(StageSession session, int position, long nowNanos) {
        if (!replay.answer(session, position, nowNanos)) {
            heads.tell(session, head -> head.rewind(position));
            feed(session, nowNanos);
        }
    }

    private void onLeaving(Leaving leaving) {
        StageSession session = known(leaving.session(), leaving.epoch());
        if (session != null) {
            repairs.leaves(session, leaving.workerId(), nanoClock.getAsLong());
        }
    }

    private void onKvPart(KvPart part) {
        StageSession session = known(part.session(), part.epoch());
        if (session != null) {
            taking.came(session, part, nanoClock.getAsLong());
        }
    }

    private void onFailed(Failed failed) {
        StageSession session = known(failed.session(), failed.epoch());
        if (session != null) {
            long now = nanoClock.getAsLong();
            repairs.failed(session, failed, now);
            feed(session, now);
        }
    }

    private void onProbe(Probe probe) {
        Ticket ticket = probe.ticket().ticket();
        ProbeAnswer answer = HeadRepairs.answer(probe, table.find(ticket.session()), meter);
        outbox.send(ticket.head(), answer);
    }

    private void onProbeAnswer(ProbeAnswer answer) {
        StageSession session = known(answer.session(), answer.epoch());
        if (session != null) {
            repairs.probeAnswered(session, answer);
        }
    }

    /** The session a message is for; null, and counted, if it is not here on this route. */
    private @Nullable StageSession known(SessionId id, int epoch) {
        StageSession session = table.find(id);
        if (session == null || session.epoch() != epoch || session.gift() != null) {
            meter.dropped.incrementAndGet();
            return null;
        }
        return session;
    }

    /**
     * Puts the rows a generation has next before its own stage, or ends the session if it is over.
     */
    void feed(StageSession session, long arrivedNanos) {
        HeadGeneration generation = session.generation();
        if (generation == null) {
            return;
        }
        if (generation.over()) {
            ends.endEverywhere(session);
            return;
        }
        for (Chunk next = generation.next(); next != null; next = generation.next()) {
            session.accept(HeadDesk.frame(session, next), arrivedNanos);
            batches.ready(session);
        }
    }

    private void refused(Slice slice, Exception why) {
        StageSession session = slice.session();
        ends.fail(session, Delivery.refusal(slice, why), session.self().workerId(), null);
    }

    /** Goes over to a newer route that a coordinator has opened here; false without room. */
    private boolean takeOver(StageSession known, Open open) {
        Problem replaced =
                Problem.of(Problem.Kind.CANCELLED, "A newer route has taken the session over.");
        heads.tell(known, generation -> generation.fail(replaced, ""));
        batches.forget(known);
        if (!table.reroute(known, open)) {
            ends.free(known);
            return false;
        }
        return true;
    }
}
