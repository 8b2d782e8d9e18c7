package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.gateway.Conversations.Rested;
import coop.sahkar.coordinator.routing.RouteWish;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.v1.GenerationEvent;
import org.jspecify.annotations.Nullable;

/** One chat's turn: the session it can go on in, and where its own will be found by the next. */
final class NextTurn {
    private final Conversations conversations;
    private final Trail trail;
    private final int restMillis;
    private final @Nullable Rested before;

    private NextTurn(
            Conversations conversations, Trail trail, int restMillis, @Nullable Rested before) {
        this.conversations = conversations;
        this.trail = trail;
        this.restMillis = restMillis;
        this.before = before;
    }

    /** Takes out the session that the chat can go on in, if one rests. */
    static NextTurn of(Conversations conversations, Trail trail, int restMillis, long nowMillis) {
        return new NextTurn(conversations, trail, restMillis, conversations.take(trail, nowMillis));
    }

    /** What is wanted of the turn's first route: to go on in the session that rests. */
    RouteWish wish(RouteWish fresh) {
        Rested rested = before;
        if (rested == null || fresh.session() != null) {
            return fresh;
        }
        return fresh.goingOnIn(rested.session(), rested.epoch(), rested.workers());
    }

    /** How long the workers may keep the session. */
    int restMillis() {
        return restMillis;
    }

    /** The answer goes on. */
    void heard(GenerationEvent event) {
        if (event.hasStarted()) {
            trail.started(event.getStarted());
        }
        trail.answer(event.getDelta().getText());
    }

    /** The answer is complete, and the session rests along this route. */
    void finished(Ticket route, long nowMillis) {
        conversations.put(trail, route, nowMillis, restMillis);
    }
}
