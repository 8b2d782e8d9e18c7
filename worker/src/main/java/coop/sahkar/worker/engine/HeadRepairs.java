package coop.sahkar.worker.engine;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.StageMessage.Close;
import coop.sahkar.worker.engine.StageMessage.Failed;
import coop.sahkar.worker.engine.StageMessage.Open;
import coop.sahkar.worker.engine.StageMessage.Probe;
import coop.sahkar.worker.engine.StageMessage.ProbeAnswer;
import coop.sahkar.worker.head.HeadGeneration;
import coop.sahkar.worker.head.Repair;
import coop.sahkar.worker.head.Reroute;
import coop.sahkar.worker.head.RouteWatch;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out what {@link RouteWatch} and {@link Repair} say of the sessions that this head drives:
 * probes stages, asks for routes, opens the ring anew.
 */
final class HeadRepairs {
    private static final Logger LOG = LoggerFactory.getLogger(HeadRepairs.class);

    /** Asks for another route; the answer comes back through the engine's mailbox. */
    interface RouteQuestion {
        void ask(SessionId session, SealedTicket newest, Set<String> lost, Problem why);
    }

    private final SessionTable table;
    private final BatchRun batches;
    private final Outbox outbox;
    private final HeadDesk heads;
    private final StageMeter meter;
    private final RouteQuestion routes;
    private final Consumer<StageSession> feed;

    HeadRepairs(
            SessionTable table,
            BatchRun batches,
            Outbox outbox,
            HeadDesk heads,
            StageMeter meter,
            RouteQuestion routes,
            Consumer<StageSession> feed) {
        this.table = table;
        this.batches = batches;
        this.outbox = outbox;
        this.heads = heads;
        this.meter = meter;
        this.routes = routes;
        this.feed = feed;
    }

    /** A worker of a session's route is lost. */
    void lost(StageSession session, String workerId, Problem what, long nowNanos) {
        HeadGeneration generation = session.generation();
        if (generation != null && !generation.over()) {
            carryOut(session, generation.repair().lost(workerId, what, nowNanos), nowNanos);
        }
    }

    /** A stage cannot go on with a session: the route is repaired, or the generation fails. */
    void failed(StageSession session, Failed failed, long nowNanos) {
        HeadGeneration generation = session.generation();
        if (generation == null) {
            return;
        }
        if (generation.repairs(failed.problem())) {
            lost(session, failed.workerId(), failed.problem(), nowNanos);
        } else {
            heads.tell(session, head -> head.fail(failed.problem(), failed.workerId()));
        }
    }

    /** A worker of a session's route is about to leave. */
    void leaves(StageSession session, String workerId, long nowNanos) {
        HeadGeneration generation = session.generation();
        if (generation != null && !generation.over()) {
            carryOut(session, generation.repair().leaves(workerId, nowNanos), nowNanos);
        }
    }

    /** Looks after a session's route as time goes by. */
    void look(StageSession session, long nowNanos) {
        HeadGeneration generation = session.generation();
        if (generation == null || generation.over()) {
            return;
        }
        if (generation.repair().underway()) {
            generation.waits(nowNanos);
            carryOut(session, generation.repair().look(nowNanos), nowNanos);
            return;
        }
        carryOut(session, generation.repair().look(nowNanos), nowNanos);
        switch (generation.watch().look(nowNanos, meter.slowestBatchNanos(nowNanos))) {
            case RouteWatch.Fine _ -> {}
            case RouteWatch.Nudge _ -> {
                generation.nudge();
                feed.accept(session);
            }
            case RouteWatch.ProbeAll(int round) -> probe(session, round);
            case RouteWatch.Lost(List<Integer> stages, String what) -> {
                for (int stage : stages) {
                    String worker = session.ticket().stages().get(stage).workerId();
                    lost(session, worker, lostProblem(worker, what), nowNanos);
                }
            }
        }
    }

    /** A stage answers a probe. */
    void probeAnswered(StageSession session, ProbeAnswer answer) {
        HeadGeneration generation = session.generation();
        if (generation != null) {
            generation.watch().answered(answer);
        }
    }

    /** What asking for a route came to. */
    void answered(StageSession session, Reroute answer, long nowNanos) {
        HeadGeneration generation = session.generation();
        if (generation != null && !generation.over()) {
            carryOut(session, generation.repair().answered(answer, nowNanos), nowNanos);
        }
    }

    /** How a worker's loss is told. */
    static Problem lostProblem(String workerId, String what) {
        return Problem.of(
                Problem.Kind.WORKER_LOST,
                "Worker %s was lost: %s. Another route may have room.".formatted(workerId, what));
    }

    private void carryOut(StageSession session, Repair.Step step, long nowNanos) {
        switch (step) {
            case Repair.Rest _ -> {}
            case Repair.Ask(SealedTicket newest, Set<String> lost, Problem why) -> {
                LOG.info("session {}: asks for a route without {}", session.id(), lost);
                routes.ask(session.id(), newest, lost, why);
            }
            case Repair.Reopen reopen -> reopen(session, reopen, nowNanos);
            case Repair.GiveUp(Problem problem, String workerId, boolean noSpare) -> {
                heads.tell(session, generation -> generation.giveUp(problem, workerId, noSpare));
                feed.accept(session);
            }
        }
    }

    private void probe(StageSession session, int round) {
        List<RouteStage> stages = session.ticket().stages();
        probeAnswered(session, answer(session, session.epoch(), 0, round, meter));
        for (int stage = 1; stage < stages.size(); stage++) {
            outbox.send(stages.get(stage), new Probe(session.sealed(), stage, round));
        }
    }

    /** The answer to a probe, whether or not its session is open here. */
    static ProbeAnswer answer(Probe probe, @Nullable StageSession session, StageMeter meter) {
        int epoch = probe.ticket().ticket().epoch();
        return session == null
                ? unknown(probe)
                : answer(session, epoch, probe.stage(), probe.round(), meter);
    }

    /** How far a stage is with a session that is open in it. */
    private static ProbeAnswer answer(
            StageSession session, int epoch, int stage, int round, StageMeter meter) {
        KvArrival arrival = session.arrival();
        return new ProbeAnswer(
                session.id(),
                epoch,
                stage,
                round,
                session.epoch() == epoch,
                arrival == null ? session.held() : arrival.positionsCome(),
                session.end(),
                session.flowing(),
                session.sentEnd(),
                meter.lastDecodeMicros(),
                meter.usualDecodeMicros());
    }

    /** The answer of a stage that has not heard of the session. */
    private static ProbeAnswer unknown(Probe probe) {
        Ticket ticket = probe.ticket().ticket();
        return new ProbeAnswer(
                ticket.session(),
                ticket.epoch(),
                probe.stage(),
                probe.round(),
                false,
                0,
                0,
                true,
                0,
                0,
                0);
    }

    private void reopen(StageSession session, Repair.Reopen how, long nowNanos) {
        SealedTicket next = how.next();
        SealedTicket before = session.sealed();
        Ticket old = before.ticket();
        HeadGeneration generation = session.generation();
        if (generation == null) {
            throw new IllegalStateException("a route is repaired where no generation runs");
        }
        Keep keep = session.keep().with(generation.fixedPositions());
        boolean leaves =
                old.stages().stream().map(RouteStage::workerId).anyMatch(how.leavers()::contains);
        Open open = new Open(next, 0, session.sampling(), keep, leaves ? before : null);
        batches.forget(session);
        if (!table.reroute(session, open)) {
            throw new IllegalStateException("the next route of a session needs more room");
        }
        meter.repairs.incrementAndGet();
        heads.tell(
                session,
                running -> running.rerouted(next, session.held(), how.repairNanos(), nowNanos));
        if (next.ticket().stages().size() > 1) {
            outbox.send(next.ticket().stages().get(1), open.behind());
        }
        closeDropped(old, next.ticket(), how.leavers());
        feed.accept(session);
    }

    /** Ends the session where the new route does not go. */
    private void closeDropped(Ticket old, Ticket next, Set<String> leavers) {
        Set<String> kept =
                next.stages().stream().map(RouteStage::workerId).collect(Collectors.toSet());
        for (RouteStage stage : old.stages()) {
            if (!kept.contains(stage.workerId())) {
                int millis = leavers.contains(stage.workerId()) ? KvGiving.KEPT_MILLIS : 0;
                outbox.send(stage, new Close(old.session(), old.epoch(), millis, true));
            }
        }
    }
}
