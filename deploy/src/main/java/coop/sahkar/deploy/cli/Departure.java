package coop.sahkar.deploy.cli;

import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.worker.agent.WorkerNode;
import coop.sahkar.worker.store.ShardKey;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jline.utils.Signals;

/**
 * How a donor's worker leaves: at the first Ctrl-C or termination signal it hands its sessions over
 * to other workers, at the second it leaves at once.
 */
final class Departure {
    /** Coordinators plan within this. */
    private static final long EXPLAIN_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final WorkerNode node;
    private final long mostSeconds;
    private final Consumer<String> line;
    private final AtomicBoolean asked = new AtomicBoolean();
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile boolean hurried;

    /** Kept by the thread that waits. */
    private boolean explained;

    /**
     * @param mostSeconds how long sessions may take to find other workers or to end
     * @param line shows the donor a line
     */
    Departure(WorkerNode node, long mostSeconds, Consumer<String> line) {
        this.node = node;
        this.mostSeconds = mostSeconds;
        this.line = line;
    }

    /**
     * Listens for signals from here on.
     *
     * @param parent whether another process answers for Ctrl-C
     */
    void listen(boolean parent) {
        Signals.register("TERM", this::ask);
        if (!parent) {
            Signals.register("INT", this::ask);
        }
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
            hurry();
        }
    }

    private void hurry() {
        hurried = true;
        node.hurry();
    }

    private void leave() {
        try {
            int sessions = node.sessions();
            if (mostSeconds == 0) {
                hurry();
            } else if (sessions > 0) {
                line.accept(
                        "Leaving: handing over %s, for at most %d s. Ctrl-C again leaves at once"
                                .formatted(counted(sessions), mostSeconds));
            }
            long since = System.nanoTime();
            boolean whole =
                    node.leave(
                            TimeUnit.SECONDS.toMillis(mostSeconds),
                            kept -> waitsFor(kept, System.nanoTime() - since));
            if (whole || hurried) {
                line.accept(whole && sessions > 0 ? "All handed over or ended. Bye" : "Bye");
            } else {
                line.accept(
                        "The time is over. %s found no other worker; another is looked for now. Bye"
                                .formatted(counted(node.sessions())));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            hurry();
            over.countDown();
        }
    }

    /** Says what is waited for, once and not before there has been time to plan. */
    private void waitsFor(List<ShardKey> kept, long nanos) {
        if (kept.isEmpty() || explained || nanos < EXPLAIN_NANOS) {
            return;
        }
        explained = true;
        String shards = kept.stream().map(Departure::shown).collect(Collectors.joining(", "));
        line.accept(
                "Waiting, for at most %d s, until others serve what only this worker does: %s. Ctrl-C again leaves at once"
                        .formatted(mostSeconds, shards));
    }

    private static String shown(ShardKey shard) {
        return "%s blocks %s"
                .formatted(shard.modelId().replaceFirst("@.*", ""), Amounts.blocks(shard.span()));
    }

    private static String counted(int sessions) {
        return sessions == 1 ? "1 session" : sessions + " sessions";
    }
}
