package coop.sahkar.worker.agent;

import coop.sahkar.worker.store.ShardKey;
import java.util.List;

/**
 * A shard that the pool wants here.
 *
 * @param key model and blocks
 * @param kvCells positions its KV cache should hold
 * @param sources where bytes can be had
 */
public record DesiredShard(ShardKey key, int kvCells, List<String> sources) {
    public DesiredShard {
        sources = List.copyOf(sources);
    }
}
