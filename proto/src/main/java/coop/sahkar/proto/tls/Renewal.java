package coop.sahkar.proto.tls;

import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a node's certificate renewed when two thirds of its time are over; a node that was away for
 * longer has it renewed when it comes back, since it is known by its own key. Asks again every few
 * minutes while nobody answers.
 */
public final class Renewal implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Renewal.class);
    private static final long MAX_PAUSE_MILLIS = TimeUnit.MINUTES.toMillis(5);
    private static final long MIN_PAUSE_MILLIS = 1_000;

    /** Where another certificate comes from. */
    @FunctionalInterface
    public interface Source {
        /** Asks for one; waits. */
        Credentials renewed(Credentials old) throws IdentityException;
    }

    private final NodeTls tls;
    private final Source source;
    private final LongSupplier unixMillis;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("certificate-renewal").factory());

    private Renewal(NodeTls tls, Source source, LongSupplier unixMillis) {
        this.tls = tls;
        this.source = source;
        this.unixMillis = unixMillis;
    }

    /** Begins to watch. */
    public static Renewal start(NodeTls tls, Source source, LongSupplier unixMillis) {
        Renewal renewal = new Renewal(tls, source, unixMillis);
        renewal.lookIn(0);
        return renewal;
    }

    private void lookIn(long millis) {
        var _ = thread.schedule(this::look, millis, TimeUnit.MILLISECONDS);
    }

    private void look() {
        if (unixMillis.getAsLong() >= tls.credentials().renewAtMillis()) {
            try {
                tls.renew(source.renewed(tls.credentials()));
                LOG.info("The certificate of {} was renewed", tls.self());
            } catch (IdentityException e) {
                LOG.warn("The certificate of {} is not renewed: {}", tls.self(), e.getMessage());
            }
        }
        long left = tls.credentials().renewAtMillis() - unixMillis.getAsLong();
        if (!thread.isShutdown()) {
            lookIn(Math.clamp(left, MIN_PAUSE_MILLIS, MAX_PAUSE_MILLIS));
        }
    }

    /** The usual source: whoever of these coordinators answers. */
    public static Source from(Joining joining, Supplier<List<String>> where) {
        return old -> joining.renew(old, where.get(), List.of());
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
