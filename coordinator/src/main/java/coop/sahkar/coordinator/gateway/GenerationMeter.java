package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.usage.UsageDesk;
import coop.sahkar.coordinator.usage.UsageMeter;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import org.jspecify.annotations.Nullable;

/**
 * Counts what one generation delivers. A head may say that it goes on along another route; its
 * stages earn by that if a coordinator has signed the route. Owned by one thread.
 */
final class GenerationMeter {
    private final UsageDesk desk;
    private final UsageMeter meter;
    private @Nullable Ticket route;

    GenerationMeter(UsageDesk desk, String account, GenerateRequest request) {
        this.desk = desk;
        this.meter = new UsageMeter(desk.payer(account), RequestRules.likelyPrompt(request), desk);
    }

    /** What follows comes along a route that was drawn here. */
    void along(Ticket drawn) {
        route = drawn;
        meter.route(drawn, true);
    }

    /** The head said something that agrees with what it said before. */
    void heard(GenerationEvent event, @Nullable Ticket now, long nowMillis) {
        if (event.hasDelta()) {
            meter.tokens(event.getDelta().getTokensCount(), nowMillis);
        } else if (event.hasRerouted() && now != null) {
            boolean proven = isSigned(event, now);
            route = now;
            meter.route(now, proven);
        }
    }

    private boolean isSigned(GenerationEvent event, Ticket claimed) {
        Ticket before = route;
        // Whether it has expired is for the workers to judge: the work was done.
        Tickets.Opened opened = Tickets.open(event.getRerouted().getTicket(), desk::ticketKey, 0);
        Ticket signed =
                switch (opened) {
                    case Tickets.Valid(var sealed) -> sealed.ticket();
                    case Tickets.Expired(var sealed, var _) -> sealed.ticket();
                    case Tickets.Refused(var _) -> null;
                };
        return signed != null
                && before != null
                && signed.session().equals(before.session())
                && signed.epoch() == claimed.epoch()
                && signed.modelId().equals(before.modelId())
                && signed.stages().equals(claimed.stages());
    }

    /** It came to its end. */
    void finished(long nowMillis) {
        meter.answered(nowMillis);
    }

    /** The regular look at the clock. */
    void look(long nowMillis) {
        meter.settleIfDue(nowMillis);
    }

    /** Nothing follows. */
    void settle() {
        meter.settle();
    }
}
