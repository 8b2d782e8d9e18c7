package coop.sahkar.worker.ring;

import coop.sahkar.worker.engine.StageInbox;
import coop.sahkar.worker.engine.StageMessage;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A mailbox that keeps what it gets, up to a capacity that the test can raise. */
final class RecordingInbox implements StageInbox {
    final List<StageMessage> messages = new CopyOnWriteArrayList<>();
    final List<String> lost = new CopyOnWriteArrayList<>();
    final List<Thread> deliverers = new CopyOnWriteArrayList<>();
    volatile int capacity = Integer.MAX_VALUE;
    volatile boolean attentive;

    @Override
    public synchronized boolean offer(StageMessage message) {
        if (messages.size() >= capacity) {
            return false;
        }
        deliverers.add(Thread.currentThread());
        return messages.add(message);
    }

    @Override
    public boolean attentive() {
        return attentive;
    }

    @Override
    public void peerLost(String workerId, String reason) {
        lost.add(workerId + ": " + reason);
    }

    <T extends StageMessage> List<T> of(Class<T> kind) {
        return messages.stream().filter(kind::isInstance).map(kind::cast).toList();
    }
}
