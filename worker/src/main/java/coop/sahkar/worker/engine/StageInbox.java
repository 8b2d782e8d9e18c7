package coop.sahkar.worker.engine;

/** The way into a stage. Safe to call from any thread; never blocks. */
public interface StageInbox {
    /**
     * Puts a message into the stage's mailbox.
     *
     * @return false when the mailbox is full; the caller then stops reading from the peer, and
     *     offers the message again later
     */
    boolean offer(StageMessage message);

    /**
     * The link to or from a worker is gone: sessions whose route has it next to this stage fail.
     */
    void peerLost(String workerId, String reason);

    /** Whether the stage looks for its next message itself just now, by {@link Links#poll}. */
    default boolean attentive() {
        return false;
    }
}
