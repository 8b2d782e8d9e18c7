package coop.sahkar.coordinator.placement;

import java.util.Iterator;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/** Looks up ascending keys in a sorted map, all in one pass over it. */
final class InStep<V> {
    private final Iterator<Map.Entry<String, V>> entries;
    private Map.@Nullable Entry<String, V> at;

    /**
     * @param map sorted by the natural order of its keys
     */
    InStep(SortedMap<String, V> map) {
        this.entries = map.entrySet().iterator();
        next();
    }

    /** What a key that comes after all that were asked for before stands for; null for nothing. */
    @Nullable V of(String key) {
        while (at != null && at.getKey().compareTo(key) < 0) {
            next();
        }
        return at != null && at.getKey().equals(key) ? at.getValue() : null;
    }

    private void next() {
        at = entries.hasNext() ? entries.next() : null;
    }
}
