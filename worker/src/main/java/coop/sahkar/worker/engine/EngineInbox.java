package coop.sahkar.worker.engine;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.Rerouting;
import java.util.Set;

/** The mailbox of an engine as others see it, whoever empties it. */
public abstract sealed class EngineInbox implements StageInbox permits StageEngine, SteppedEngine {
    /** What the engine has not taken yet. */
    final Mailbox mailbox;

    private final Rerouting rerouting;

    EngineInbox(EngineLimits limits, Rerouting rerouting) {
        this.mailbox = new Mailbox(limits.mailboxMessages(), limits.mailboxRows());
        this.rerouting = rerouting;
    }

    @Override
    public final void peerLost(String workerId, String reason) {
        mailbox.put(new Inbound.PeerLost(workerId, reason));
    }

    /**
     * Runs a generation from this head. Its sink hears everything else.
     *
     * @return false when the mailbox is full or the engine is closed; the sink hears nothing then
     */
    public final boolean start(GenerationStart start) {
        return mailbox.offer(new Inbound.Start(start)) == Mailbox.Offer.TAKEN;
    }

    /**
     * Gives a generation up and frees its KV in all stages. Its sink need not hear of it.
     *
     * @param epoch in which it was started here
     */
    public final void cancel(SessionId session, int epoch) {
        mailbox.put(new Inbound.Cancel(session, epoch));
    }

    /** Takes no new sessions from here on; those that run may end. */
    public final void drain() {
        mailbox.put(new Inbound.Drain());
    }

    /** Has sessions that run here led to other workers, from here on, where there are any. */
    public final void leave() {
        mailbox.put(new Inbound.Leave());
    }

    /** Asks for another route; the answer comes back through the mailbox. */
    final void ask(SessionId session, SealedTicket newest, Set<String> lost, Problem why) {
        rerouting.ask(
                newest, lost, why, answer -> mailbox.put(new Inbound.Rerouted(session, answer)));
    }
}
