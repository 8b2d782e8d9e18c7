package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.proto.Span;

/** One shard while a plan is made. Compared by identity. */
final class Shard {
    private final Load load;
    private final Holding model;
    private final Span span;
    private final int kvCells;
    private final long bytes;
    private final long nanos;

    Shard(Load load, Holding model, Span span, int kvCells) {
        this.load = load;
        this.model = model;
        this.span = span;
        this.kvCells = kvCells;
        this.bytes = model.costs().bytes(span, kvCells);
        this.nanos = model.costs().nanos(span, load.bytesPerSecond());
    }

    Load load() {
        return load;
    }

    Holding model() {
        return model;
    }

    Span span() {
        return span;
    }

    int kvCells() {
        return kvCells;
    }

    /** Memory it takes. */
    long bytes() {
        return bytes;
    }

    /** Time of one token in it when its worker does nothing else. */
    long nanos() {
        return nanos;
    }

    /** Whether its worker reports that it serves it now. */
    boolean serving() {
        return load.serves(this);
    }

    /** Whether it is the same shard of the same worker. */
    boolean same(Shard other) {
        return load == other.load && span.equals(other.span) && kvCells == other.kvCells;
    }

    AssignedShard assigned() {
        return new AssignedShard(model.id(), span, kvCells);
    }
}
