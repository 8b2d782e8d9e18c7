package coop.sahkar.coordinator.state;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the coordinators agree on about themselves. Who votes, Raft's own configuration says; this
 * is what others need to know of them.
 *
 * @param coordinators by id
 * @param level the {@link FeatureLevel} that the log may need
 */
public record Cluster(SortedMap<String, CoordinatorRecord> coordinators, int level) {
    /** Of a new pool. */
    public static final Cluster EMPTY = new Cluster(new TreeMap<>(), FeatureLevel.NONE);

    public Cluster {
        coordinators = Collections.unmodifiableSortedMap(new TreeMap<>(coordinators));
    }

    /** Where coordinators are reached, by their ids; those that said so. */
    public List<String> gateways() {
        return coordinators.values().stream()
                .map(CoordinatorRecord::gateway)
                .filter(gateway -> !gateway.isEmpty())
                .toList();
    }

    /** The highest level that all of them know. */
    public int knownByAll() {
        return coordinators.values().stream()
                .mapToInt(CoordinatorRecord::knowsLevel)
                .min()
                .orElse(FeatureLevel.NONE);
    }
}
