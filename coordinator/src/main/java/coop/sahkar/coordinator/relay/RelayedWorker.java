package coop.sahkar.coordinator.relay;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** What the desk keeps of one worker. Collections and references are guarded by the desk. */
final class RelayedWorker {
    final LongAdder bytes = new LongAdder();
    final Meter meter = new Meter(TimeUnit.MILLISECONDS.toNanos(RelayLimits.BURST_MILLIS));

    /** Calls it has not taken yet. */
    final Map<Long, Tunnel> waiting = new HashMap<>();

    /** All its tunnels. */
    final Set<Tunnel> tunnels = new LinkedHashSet<>();

    /** Where its calls are announced; null while it is not here. */
    RelayDesk.@Nullable Line line;

    /** Where this process reaches it; null until asked for. */
    @Nullable RelayDoor door;

    boolean forgettable() {
        return line == null && tunnels.isEmpty();
    }
}
