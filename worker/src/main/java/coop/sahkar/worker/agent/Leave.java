package coop.sahkar.worker.agent;

import coop.sahkar.worker.store.ShardKey;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * How a worker leaves. The coordinators, who have been told, place elsewhere what only it serves;
 * so long it serves on as if nothing were. Whatever they want of it no more hands its sessions
 * over. Where they take too long, or none is there, it is handed over all the same.
 */
final class Leave {
    /** Of the time there is, what is kept for handing over what the pool has not let go of. */
    static final long HANDING_OVER_MILLIS = 10_000;

    private static final long LOOK_MILLIS = 100;

    private final ShardHost host;
    private final BooleanSupplier attached;
    private final LongSupplier clockMillis;
    private volatile boolean hurried;

    /**
     * @param attached whether any coordinator is there
     * @param clockMillis a clock that nobody sets
     */
    Leave(ShardHost host, BooleanSupplier attached, LongSupplier clockMillis) {
        this.host = host;
        this.attached = attached;
        this.clockMillis = clockMillis;
    }

    /**
     * Waits until the last session has gone, but no longer than {@code millis} and not after {@link
     * #hurry}.
     *
     * @param kept hears again and again what is served on until others serve it
     * @return whether all have gone
     */
    boolean take(long millis, Consumer<List<ShardKey>> kept) throws InterruptedException {
        long until = clockMillis.getAsLong() + millis;
        long patience = until - Math.min(HANDING_OVER_MILLIS, millis / 2);
        host.leave();
        boolean waits = true;
        while (!hurried) {
            long now = clockMillis.getAsLong();
            if (waits && (now >= patience || !attached.getAsBoolean())) {
                waits = false;
                host.letGo();
            }
            if (host.awaitEmpty(Math.clamp(until - now, 0, LOOK_MILLIS))) {
                return true;
            }
            if (now >= until) {
                return false;
            }
            kept.accept(host.kept());
        }
        return false;
    }

    /**
     * The same without the coordinators: sessions that find no other worker by themselves in this
     * time end.
     */
    boolean atOnce(long millis) throws InterruptedException {
        host.leave();
        host.letGo();
        return host.awaitEmpty(hurried ? 0 : millis);
    }

    /** Nobody waits for sessions any more. */
    void hurry() {
        hurried = true;
    }
}
