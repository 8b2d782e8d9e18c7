package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.ResumePoint;
import org.jspecify.annotations.Nullable;

/**
 * How one generation goes on when a coordinator is lost: from another one to here, and from here to
 * another. Used by one thread.
 */
final class GoingOn {
    private final GenerationRunner runner;
    private final GenerateRequest request;
    private final @Nullable Ticket before;
    private final long askedAtMillis;
    private @Nullable SealedTicket sealed;

    GoingOn(GenerationRunner runner, GenerateRequest request) {
        this.runner = runner;
        this.request = request;
        this.before =
                request.hasResume()
                        ? runner.ticketOf(request.getResume().getPoint().getTicket())
                        : null;
        this.askedAtMillis =
                before == null
                        ? System.currentTimeMillis()
                        : request.getResume().getPoint().getAskedAtMillis();
    }

    /** Where it begins: anew, or behind what its reader has. */
    ResumePlan plan(Patience patience, long nowMillis) {
        return before == null
                ? new ResumePlan(patience)
                : ResumePlan.goingOn(patience, request.getResume(), before, nowMillis);
    }

    /** Unix time of the first request. */
    long askedAtMillis() {
        return askedAtMillis;
    }

    /** It has this route from here on. */
    void drawn(SealedTicket ticket) {
        sealed = ticket;
    }

    /** The head's word, with how to go on without this coordinator. */
    GenerationEvent started(GenerationEvent event, ResumePlan plan) {
        return ResumePoints.started(event, point(plan), runner.coordinators());
    }

    /** Another route, with how to go on from there. */
    GenerationEvent rerouted(ResumePlan plan) {
        return ResumePoints.rerouted(plan.epoch(), plan.route(), point(plan));
    }

    private @Nullable ResumePoint point(ResumePlan plan) {
        Ticket ticket = plan.ticket();
        SealedTicket known = sealed;
        if (ticket != null && (known == null || known.ticket().epoch() != ticket.epoch())) {
            known = runner.seal(ticket); // the head has repaired the route
            sealed = known;
        }
        return known == null ? null : ResumePoints.of(known, plan.turn(), askedAtMillis);
    }
}
