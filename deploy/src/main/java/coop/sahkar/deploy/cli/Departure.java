package coop.sahkar.deploy.cli;

import coop.sahkar.worker.agent.WorkerNode;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jline.utils.Signals;

/**
 * How a donor's worker leaves: at the first Ctrl-C or termination signal it hands its sessions over
 * to other workers, at the second it leaves at once.
 */
final class Departure {
    private static final List<String> SIGNALS = List.of("INT", "TERM");

    private final WorkerNode node;
    private final long mostSeconds;
    private final Consumer<String> line;
    private final AtomicBoolean asked = new AtomicBoolean();
    private final CountDownLatch over = new CountDownLatch(1);

    /**
     * @param mostSeconds how long sessions may take to find other workers or to end
     * @param line shows the donor a line
     */
    Departure(WorkerNode node, long mostSeconds, Consumer<String> line) {
        this.node = node;
        this.mostSeconds = mostSeconds;
        this.line = line;
    }

    /** Listens for signals from here on. */
    void listen() {
        SIGNALS.forEach(signal -> Signals.register(signal, this::ask));
    }

    /** Waits until the worker has left, but no longer than {@code millis}. */
    boolean await(long millis) throws InterruptedException {
        return over.await(millis, TimeUnit.MILLISECONDS);
    }

    private void ask() {
        if (asked.compareAndSet(false, true)) {
            Thread.ofPlatform().name("sahkar-departure").start(this::leave);
        } else {
            line.accept("Leaving at once");
            node.hurry();
        }
    }

    private void leave() {
        try {
            int sessions = node.sessions();
            if (sessions > 0) {
                line.accept(
                        "Leaving: handing over %s, for at most %d s. Ctrl-C again leaves at once"
                                .formatted(counted(sessions), mostSeconds));
            }
            if (node.leave(TimeUnit.SECONDS.toMillis(mostSeconds))) {
                line.accept(sessions > 0 ? "All handed over or ended. Bye" : "Bye");
            } else {
                line.accept(
                        "%s found no other worker in time; another is looked for now. Bye"
                                .formatted(counted(node.sessions())));
            }
        } finally {
            node.hurry();
            over.countDown();
        }
    }

    private static String counted(int sessions) {
        return sessions == 1 ? "1 session" : sessions + " sessions";
    }
}
