package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.ModelFootprint;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;

/** One worker while a plan is made: what it has been given, and what that leaves. */
final class Load {
    /** What llama.cpp keeps for a shard besides weights and KV. */
    static final long SHARD_OVERHEAD_BYTES = 1024 * 1024;

    /** A block costs this however small it is: graph, attention, callbacks. */
    private static final long BLOCK_NANOS = 50_000;

    /** What a worker is taken to pass per second when it did not measure. */
    private static final long UNMEASURED_BYTES_PER_SECOND = 4_000_000_000L;

    private final PlanWorker worker;
    private final long bytesPerSecond;
    private final List<AssignedShard> shards = new ArrayList<>();
    private long freeBytes;
    private long busyNanos;

    Load(PlanWorker worker) {
        this.worker = worker;
        this.freeBytes = worker.memoryBytes();
        this.bytesPerSecond = rounded(worker.bytesPerSecond());
    }

    /**
     * Measured speeds are rough, and a plan must not move because a measurement did: they are
     * rounded to a power of two.
     */
    private static long rounded(long measured) {
        long speed = measured > 0 ? measured : UNMEASURED_BYTES_PER_SECOND;
        long below = Long.highestOneBit(speed);
        return speed - below > below / 2 ? below * 2 : below;
    }

    String id() {
        return worker.id();
    }

    long memoryBytes() {
        return worker.memoryBytes();
    }

    long freeBytes() {
        return freeBytes;
    }

    long bytesPerSecond() {
        return bytesPerSecond;
    }

    List<AssignedShard> shards() {
        return shards;
    }

    /** Whether its llama.cpp is new enough for a model. */
    boolean canLoad(PlanModel model) {
        return worker.release().atLeast(model.oldestRelease());
    }

    boolean serves(String modelId) {
        return shards.stream().anyMatch(s -> s.modelId().equals(modelId));
    }

    /** Memory a shard takes. */
    static long bytes(ModelFootprint footprint, Span span, int kvCells) {
        return footprint.weightBytes(span)
                + footprint.kvBytes(span, kvCells)
                + SHARD_OVERHEAD_BYTES;
    }

    boolean fits(ModelFootprint footprint, Span span, int kvCells) {
        return bytes(footprint, span, kvCells) <= freeBytes;
    }

    /** Nanoseconds one token would take here, other models' shards included. */
    long nanos(ModelFootprint footprint, Span span) {
        return busyNanos + ownNanos(footprint, span);
    }

    private long ownNanos(ModelFootprint footprint, Span span) {
        double seconds = (double) footprint.decodeBytes(span) / bytesPerSecond;
        return span.length() * BLOCK_NANOS + (long) (seconds * 1e9);
    }

    void take(PlanModel model, Span span, int kvCells) {
        shards.add(new AssignedShard(model.id(), span, kvCells));
        freeBytes -= bytes(model.footprint(), span, kvCells);
        busyNanos += ownNanos(model.footprint(), span);
    }
}
