package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;

/** Changes that can be taken back: shards given and evicted while something is tried. */
final class Trial {
    private final List<Shard> given = new ArrayList<>();
    private final List<Shard> evicted = new ArrayList<>();

    void give(Holding holding, Load load, Span span, int kvCells) {
        given.add(holding.give(load, span, kvCells));
    }

    void evict(Shard shard) {
        shard.model().take(shard);
        evicted.add(shard);
    }

    /** Makes it as if nothing had been tried. */
    void undo() {
        given.reversed().forEach(shard -> shard.model().take(shard));
        evicted.reversed().forEach(shard -> shard.model().put(shard));
        given.clear();
        evicted.clear();
    }
}
