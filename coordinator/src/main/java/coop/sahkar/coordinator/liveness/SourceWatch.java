package coop.sahkar.coordinator.liveness;

import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolView;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.Collections;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Dials the published sources of every model now and then: a publisher that has ended offers no
 * bytes, and a plan must not count on them. Soft: what was not dialled yet is taken to answer.
 *
 * <p>One thread owns it. It opens a connection and closes it, and asks for nothing.
 */
public final class SourceWatch implements AutoCloseable {
    private static final int ROUND_MILLIS = 3000;
    private static final int DIAL_MILLIS = 1000;

    /** Servers of the wide world are dialled in one round of so many. */
    private static final int WIDE_WORLD_ROUNDS = 20;

    /** A dial that is not refused but answered by nobody counts after so many. */
    private static final int SILENT_ROUNDS = 2;

    private static final Logger LOG = LoggerFactory.getLogger(SourceWatch.class);

    private final PoolView pool;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("sahkar-sources").factory());
    private final SortedMap<String, Integer> silentRounds = new TreeMap<>();
    private final AtomicBoolean asked = new AtomicBoolean();
    private int round;
    private volatile SortedSet<String> unsourced = Collections.emptySortedSet();

    /** Watches the models of a pool. */
    public SourceWatch(PoolView pool) {
        this.pool = pool;
    }

    /** Begins to dial. */
    public void start() {
        var _ = thread.scheduleWithFixedDelay(this::look, 0, ROUND_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Looks at once: somebody went, and what a plan may count on matters now. */
    public void lookSoon() {
        if (asked.compareAndSet(false, true)) {
            thread.execute(() -> {
                asked.set(false);
                look();
            });
        }
    }

    /** Ids of the models none of whose sources answers. */
    public SortedSet<String> unsourced() {
        return unsourced;
    }

    private void look() {
        try {
            SortedSet<String> sources = new TreeSet<>();
            pool.state().models().values().forEach(model -> sources.addAll(model.sources()));
            silentRounds.keySet().retainAll(sources);
            for (String source : sources) {
                boolean wide = source.startsWith("http");
                if (!wide || round % WIDE_WORLD_ROUNDS == 0 || !silentRounds.containsKey(source)) {
                    dial(source);
                }
            }
            round++;
            SortedSet<String> dark = new TreeSet<>();
            for (ModelRecord model : pool.state().models().values()) {
                if (model.sources().stream().allMatch(this::silent)) {
                    dark.add(model.id());
                }
            }
            unsourced = Collections.unmodifiableSortedSet(dark);
        } catch (RuntimeException e) {
            LOG.error("the sources of models could not be looked at; tried again", e);
        }
    }

    private boolean silent(String source) {
        return silentRounds.getOrDefault(source, 0) >= SILENT_ROUNDS;
    }

    private void dial(String source) {
        try (Socket socket = new Socket()) {
            socket.connect(address(source), DIAL_MILLIS);
            silentRounds.put(source, 0);
        } catch (ConnectException e) {
            silentRounds.put(source, SILENT_ROUNDS);
        } catch (IOException | IllegalArgumentException e) {
            silentRounds.merge(source, 1, Integer::sum);
        }
    }

    /**
     * @throws IllegalArgumentException if it names no host
     */
    private static InetSocketAddress address(String source) {
        URI uri = URI.create(source);
        if (uri.getHost() == null) {
            throw new IllegalArgumentException("no host in " + source);
        }
        int usual = source.startsWith("https:") ? 443 : 80;
        return new InetSocketAddress(uri.getHost(), uri.getPort() > 0 ? uri.getPort() : usual);
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
