package coop.sahkar.worker.peers;

import coop.sahkar.proto.tls.Transport;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures the way to the peers that coordinators name, round after round, one peer at a time, and
 * tells each coordinator what it asked for. A thread of its own does it: a ping waits.
 */
public final class PeerMeter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PeerMeter.class);
    private static final int LEAST_PAUSE_MILLIS = 1_000;
    private static final int MOST_PAUSE_MILLIS = 600_000;

    /** Time for a list that is being put together to be complete. */
    private static final int FIRST_PAUSE_MILLIS = 200;

    private final Pings pings;
    private final BiConsumer<String, SortedMap<String, Integer>> told;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("peer-latency").factory());
    private final PeerBook book = new PeerBook();
    private int pauseMillis = MOST_PAUSE_MILLIS;
    private @Nullable Future<?> next;

    /**
     * Idle until {@link #wanted}.
     *
     * @param told hears, for each coordinator that asked, one way to each peer in microseconds by
     *     id, 0 where it cannot be reached; called on the meter's thread after each round
     * @param transport how peers are dialled
     */
    public PeerMeter(BiConsumer<String, SortedMap<String, Integer>> told, Transport transport) {
        this(new GrpcPings(transport), told);
    }

    PeerMeter(Pings pings, BiConsumer<String, SortedMap<String, Integer>> told) {
        this.pings = pings;
        this.told = told;
    }

    /**
     * A coordinator says which peers to measure from now on.
     *
     * @param intervalMillis pause between two rounds, brought within bounds
     */
    public void wanted(String coordinator, List<PeerAddress> peers, int intervalMillis) {
        try {
            thread.execute(() -> {
                pauseMillis = Math.clamp(intervalMillis, LEAST_PAUSE_MILLIS, MOST_PAUSE_MILLIS);
                book.wanted(coordinator, peers);
                pings.keepOnly(book.all());
                schedule(FIRST_PAUSE_MILLIS);
            });
        } catch (RejectedExecutionException closing) {
            LOG.debug("nothing is measured any more: the worker is closing");
        }
    }

    private void schedule(int millis) {
        if (next != null) {
            next.cancel(false);
        }
        next = thread.schedule(this::measure, millis, TimeUnit.MILLISECONDS);
    }

    private void measure() {
        for (PeerAddress peer : book.all()) {
            if (thread.isShutdown()) {
                return;
            }
            book.measured(peer, pings.roundTripNanos(peer));
        }
        book.latencies()
                .forEach((coordinator, latencies) -> {
                    if (!latencies.isEmpty()) {
                        told.accept(coordinator, latencies);
                    }
                });
        if (!thread.isShutdown()) {
            schedule(pauseMillis);
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
        try {
            if (!thread.awaitTermination(LEAST_PAUSE_MILLIS, TimeUnit.MILLISECONDS)) {
                LOG.debug("a ping still waits for its answer");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        pings.close();
    }
}
