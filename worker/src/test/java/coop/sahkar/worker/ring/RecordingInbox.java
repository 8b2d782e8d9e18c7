package coop.sahkar.worker.ring;

import coop.sahkar.worker.engine.StageInbox;
import coop.sahkar.worker.engine.StageMessage;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A mailbox that keeps what it gets, up to a capacity that the test can raise. */
final class RecordingInbox implements StageInbox {
    final List<StageMessage> messages = new CopyOnWriteArrayList<>();
    final List<String> lost = new CopyOnWriteArrayList<>();
    volatile int capacity = Integer.MAX_VALUE;

    @Override
    public synchronized boolean offer(StageMessage message) {
        return messages.size() < capacity && messages.add(message);
    }

    @Override
    public void peerLost(String workerId, String reason) {
        lost.add(workerId + ": " + reason);
    }

    <T extends StageMessage> List<T> of(Class<T> kind) {
        return messages.stream().filter(kind::isInstance).map(kind::cast).toList();
    }
}
