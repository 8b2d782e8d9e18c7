package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the planner came to.
 *
 * @param assignments the shards of each worker that has any, by worker id
 * @param shortfalls a sentence for each model that cannot be placed whole, by model id
 */
public record Plan(
        SortedMap<String, List<AssignedShard>> assignments, SortedMap<String, String> shortfalls) {
    public Plan {
        assignments = Collections.unmodifiableSortedMap(new TreeMap<>(assignments));
        shortfalls = Collections.unmodifiableSortedMap(new TreeMap<>(shortfalls));
    }
}
