package coop.sahkar.worker.engine;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.StageMessage.Open;
import org.jspecify.annotations.Nullable;

/** Decides which sessions a stage lets in: those that are meant for it and that it has room for. */
final class Admission {
    private final SessionTable table;
    private final StageShape shape;
    private final EngineLimits limits;
    private boolean draining;

    Admission(SessionTable table, StageShape shape, EngineLimits limits) {
        this.table = table;
        this.shape = shape;
        this.limits = limits;
    }

    /** Lets nothing new in from here on. */
    void drain() {
        draining = true;
    }

    /** Whether the stage is what the route has at {@code index}. */
    static boolean serves(Ticket ticket, int index, StageShape shape) {
        return index >= 0
                && index < ticket.stages().size()
                && ticket.blockCount() == shape.blockCount()
                && ticket.stages().get(index).span().equals(shape.span());
    }

    /** Why a new session cannot be let in at {@code index} of its route; null if it can. */
    @Nullable Problem refusal(Ticket ticket, int index) {
        return draining ? leaving(ticket.stages().get(index)) : table.refusal(ticket, index);
    }

    /** Opens a session behind the head; the problem if that cannot be. */
    @Nullable Problem open(Open open, long nowNanos) {
        Problem problem = misplaced(open);
        if (problem == null) {
            problem = refusal(open.ticket().ticket(), open.stage());
        }
        if (problem == null) {
            table.open(open.ticket(), open.stage(), open.sampling(), nowNanos).reached(open.keep());
        }
        return problem;
    }

    /** Takes a session behind the head over to a newer route; the problem if that cannot be. */
    @Nullable Problem reopen(StageSession known, Open open, long nowNanos) {
        Problem problem = misplaced(open);
        if (problem == null && !table.reroute(known, open)) {
            problem = table.refusal(open.ticket().ticket(), open.stage());
        }
        if (problem == null) {
            known.touch(nowNanos);
        }
        return problem;
    }

    /** Says that a head has no room for the newer route of a session. */
    Problem noRoom(Ticket ticket) {
        Problem problem = table.refusal(ticket, 0);
        return problem == null ? leaving(ticket.head()) : problem;
    }

    private @Nullable Problem misplaced(Open open) {
        if (serves(open.ticket().ticket(), open.stage(), shape)) {
            return null;
        }
        return Problem.of(
                Problem.Kind.PROTOCOL,
                "Stage %d of the route was opened at a worker that holds blocks %s of %d."
                        .formatted(open.stage(), shape.span(), shape.blockCount()));
    }

    private Problem leaving(RouteStage self) {
        return new Problem(
                Problem.Kind.OVERLOADED,
                "Worker %s is leaving and takes no new sessions. Another route may have room."
                        .formatted(self.workerId()),
                "",
                limits.retryAfterMillis());
    }
}
