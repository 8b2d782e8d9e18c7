package coop.sahkar.worker.ring;

import coop.sahkar.worker.engine.StageInbox;
import coop.sahkar.worker.engine.StageMessage;

/** A message that was found in order, and the stage it is for. */
record Delivery(StageInbox inbox, StageMessage message) {
    /** Whether the stage took it. */
    boolean offer() {
        return inbox.offer(message);
    }
}
