package coop.sahkar.worker.ring;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.StageInbox;
import coop.sahkar.worker.engine.StageShape;
import java.util.List;

/**
 * A session that is open at this worker: enough to tell whether a message for it comes from the
 * right worker and where it goes.
 */
final class RingSession {
    final SealedTicket sealed;
    final Ticket ticket;
    final int stage;
    final StageShape shape;
    final StageInbox inbox;

    /** Unix milliseconds of the last message. */
    volatile long lastUsedMillis;

    RingSession(SealedTicket sealed, int stage, StageShape shape, StageInbox inbox, long now) {
        this.sealed = sealed;
        this.ticket = sealed.ticket();
        this.stage = stage;
        this.shape = shape;
        this.inbox = inbox;
        this.lastUsedMillis = now;
    }

    /** Frames and the session's opening and end come from the stage before only. */
    void requirePrevious(String sender, String what) throws LinkViolation {
        require(stage > 0 && named(stage - 1, sender), sender, what, "the stage before");
    }

    /**
     * The end may come from the head too: where a link is broken the stage before cannot say it.
     */
    void requirePreviousOrHead(String sender, String what) throws LinkViolation {
        boolean rightful = stage > 0 && (named(stage - 1, sender) || named(0, sender));
        require(rightful, sender, what, "the stage before and the head");
    }

    /** What a stage says of itself comes from that stage. */
    void requireStage(int index, String sender, String what) throws LinkViolation {
        boolean rightful =
                stage == 0 && index > 0 && index < ticket.stages().size() && named(index, sender);
        require(rightful, sender, what, "the stage it is of, for the head");
    }

    /** What is lacking is asked for by the stage behind only. */
    void requireNext(String sender, String what) throws LinkViolation {
        boolean last = stage == ticket.stages().size() - 1;
        require(!last && named(stage + 1, sender), sender, what, "the stage behind");
    }

    /** Tokens go from the tail to the head. */
    void requireTail(String sender, String what) throws LinkViolation {
        require(stage == 0 && named(ticket.stages().size() - 1, sender), sender, what, "the tail");
    }

    /** Any stage of the route may tell the head that it failed. */
    void requireOnRoute(String sender, String what) throws LinkViolation {
        List<RouteStage> stages = ticket.stages();
        boolean onRoute = stages.stream().anyMatch(s -> s.workerId().equals(sender));
        require(stage == 0 && onRoute, sender, what, "a stage of the route, for the head");
    }

    private boolean named(int index, String sender) {
        return ticket.stages().get(index).workerId().equals(sender);
    }

    private void require(boolean holds, String sender, String what, String rightful)
            throws LinkViolation {
        if (!holds) {
            throw new LinkViolation(
                    "Worker %s sent %s for session %s; by its ticket only %s may."
                            .formatted(sender, what, ticket.session(), rightful));
        }
    }
}
