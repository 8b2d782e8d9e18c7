package coop.sahkar.coordinator.liveness;

import coop.sahkar.proto.Limits;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * How far workers are from each other, as they measured it. Soft state: what was not said again for
 * {@link #FRESH_MILLIS} no longer counts.
 *
 * <p>A pair that neither side has measured is estimated as the sum of both sides' usual distances
 * (the median of what each measured to others), which for near neighbours is too much: a measured
 * pair is preferred to one that nobody knows. A worker that measured nothing yet counts as {@link
 * #UNKNOWN_REACH_MICROS} from everybody.
 *
 * <p>Thread-safe.
 */
public final class LatencyTable {
    /** A peer that cannot be reached. */
    public static final int UNREACHABLE = 0;

    /** How long a measurement counts; workers measure several times in it. */
    static final long FRESH_MILLIS = 60_000;

    /** What is assumed of a worker that has measured nothing: half a continent to each side. */
    static final int UNKNOWN_REACH_MICROS = 10_000;

    private final Map<String, Row> rows = new ConcurrentHashMap<>();

    private record Row(SortedMap<String, Integer> micros, int reachMicros, long atMillis) {
        boolean fresh(long nowMillis) {
            return nowMillis - atMillis < FRESH_MILLIS;
        }
    }

    /**
     * What is known of one way.
     *
     * @param micros one way, in microseconds
     * @param measured whether one of the two measured it
     * @param reachable whether the sender reached the receiver when it last tried
     */
    public record Way(long micros, boolean measured, boolean reachable) {}

    /**
     * A worker said how far its peers are; it replaces what it said before.
     *
     * @param micros one way by worker id; {@link #UNREACHABLE} where it got no answer
     */
    public void reported(String workerId, SortedMap<String, Integer> micros, long nowMillis) {
        if (micros.size() > Limits.MAX_MEASURED_PEERS) {
            throw new IllegalArgumentException(
                    "a worker lists latencies to %d peers; at most %d are taken"
                            .formatted(micros.size(), Limits.MAX_MEASURED_PEERS));
        }
        rows.put(workerId, new Row(new TreeMap<>(micros), median(micros), nowMillis));
    }

    /** A worker's stream ended: what it measured no longer matters. */
    public void forget(String workerId) {
        rows.remove(workerId);
    }

    /** What a worker said last, one way in microseconds by peer; empty when that is too old. */
    public SortedMap<String, Integer> of(String workerId, long nowMillis) {
        Row row = rows.get(workerId);
        return row == null || !row.fresh(nowMillis) ? new TreeMap<>() : row.micros();
    }

    /** The way from one worker to another. */
    public Way way(String from, String to, long nowMillis) {
        Row there = rows.get(from);
        Row back = rows.get(to);
        Integer said = said(there, to, nowMillis);
        if (said != null && said == UNREACHABLE) {
            return new Way(0, true, false);
        }
        Integer answered = said(back, from, nowMillis);
        if (said != null) {
            return new Way(said, true, true);
        }
        if (answered != null && answered != UNREACHABLE) {
            return new Way(answered, true, true);
        }
        return new Way((long) reach(there, nowMillis) + reach(back, nowMillis), false, true);
    }

    private static @Nullable Integer said(@Nullable Row row, String to, long nowMillis) {
        return row == null || !row.fresh(nowMillis) ? null : row.micros().get(to);
    }

    private static int reach(@Nullable Row row, long nowMillis) {
        return row == null || !row.fresh(nowMillis) ? UNKNOWN_REACH_MICROS : row.reachMicros();
    }

    private static int median(SortedMap<String, Integer> micros) {
        int[] known = micros.values().stream().mapToInt(m -> m).filter(m -> m > 0).toArray();
        Arrays.sort(known);
        return known.length == 0 ? UNKNOWN_REACH_MICROS : known[known.length / 2];
    }
}
