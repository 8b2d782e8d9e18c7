package coop.sahkar.coordinator.state;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which worker should hold which shards.
 *
 * @param generation its number; 0 is the empty placement of a new pool
 * @param parent the generation it was made from
 * @param assignments the shards of each worker that has any, by worker id
 */
public record Placement(
        long generation, long parent, SortedMap<String, List<AssignedShard>> assignments) {

    /** Nothing is placed. */
    public static final Placement EMPTY = new Placement(0, 0, new TreeMap<>());

    public Placement {
        SortedMap<String, List<AssignedShard>> copy = new TreeMap<>(assignments);
        copy.replaceAll((_, shards) -> List.copyOf(shards));
        assignments = Collections.unmodifiableSortedMap(copy);
    }

    /** What {@code workerId} should hold; empty for a worker that has no part in it. */
    public List<AssignedShard> of(String workerId) {
        return assignments.getOrDefault(workerId, List.of());
    }
}
