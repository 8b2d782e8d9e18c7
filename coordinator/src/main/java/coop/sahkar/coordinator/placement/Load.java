package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One worker while a plan is made: what it has been given, and what that leaves. */
final class Load {
    /** What a worker is taken to pass per second when it did not measure. */
    private static final long UNMEASURED_BYTES_PER_SECOND = 4_000_000_000L;

    /** Speeds are told apart in steps of this many to a doubling. */
    private static final int STEPS_PER_DOUBLING = 8;

    /** llama.cpp makes a KV cache larger than asked for, up to a multiple of this at most. */
    private static final int CELLS_ROUNDED_TO = 256;

    /** So that plans that differ only in how they were found are equal. */
    static final Comparator<AssignedShard> SHARDS =
            Comparator.comparing(AssignedShard::modelId).thenComparing(AssignedShard::span);

    private final PlanWorker worker;
    private final int index;
    private final long bytesPerSecond;
    private final List<Shard> shards = new ArrayList<>(2);
    private long freeBytes;

    /**
     * @param index its place among the workers, sorted by id
     */
    Load(PlanWorker worker, int index) {
        this.worker = worker;
        this.index = index;
        this.freeBytes = worker.memoryBytes();
        this.bytesPerSecond = rounded(worker.bytesPerSecond());
    }

    /** Measured speeds are rough, and a plan must not move because a measurement did. */
    private static long rounded(long measured) {
        long speed = measured > 0 ? measured : UNMEASURED_BYTES_PER_SECOND;
        double doublings = Math.log((double) speed) / Math.log(2);
        double steps = Math.round(doublings * STEPS_PER_DOUBLING);
        return Math.max(1, Math.round(Math.pow(2, steps / STEPS_PER_DOUBLING)));
    }

    String id() {
        return worker.id();
    }

    int index() {
        return index;
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

    /** What it has been given. */
    List<Shard> shards() {
        return shards;
    }

    /** The same as a placement says it. */
    List<AssignedShard> assigned() {
        List<AssignedShard> assigned = new ArrayList<>(shards.size());
        for (Shard shard : shards) {
            assigned.add(shard.assigned());
        }
        assigned.sort(SHARDS);
        return assigned;
    }

    boolean idle() {
        return shards.isEmpty();
    }

    /** Its shard of a model, if it has one. */
    @Nullable Shard of(Holding model) {
        for (Shard shard : shards) {
            if (shard.model() == model) {
                return shard;
            }
        }
        return null;
    }

    /** How many parts of a model it has. */
    int parts(Holding model) {
        int parts = 0;
        for (Shard shard : shards) {
            parts += shard.model() == model ? 1 : 0;
        }
        return parts;
    }

    /** Whether its llama.cpp is new enough for a model. */
    boolean canLoad(PlanModel model) {
        return worker.release().atLeast(model.oldestRelease());
    }

    /** Whether it may be given a span: it can load it and did not fail with it or a part of it. */
    boolean takes(Holding model, Span span) {
        for (AssignedShard failed : worker.failed()) {
            boolean within =
                    span.first() <= failed.span().first() && failed.span().end() <= span.end();
            if (within && failed.modelId().equals(model.id())) {
                return false;
            }
        }
        return canLoad(model.model());
    }

    /** Whether it reports that it serves a span now, with a KV cache of whatever size. */
    boolean serves(String modelId, Span span) {
        for (AssignedShard shard : worker.serving()) {
            if (shard.modelId().equals(modelId) && shard.span().equals(span)) {
                return true;
            }
        }
        return false;
    }

    /** Whether it reports that it serves this now: it need not load it anew. */
    boolean serves(Shard wanted) {
        for (AssignedShard shard : worker.serving()) {
            int more = shard.kvCells() - wanted.kvCells();
            if (shard.modelId().equals(wanted.model().id())
                    && shard.span().equals(wanted.span())
                    && more >= 0
                    && more < CELLS_ROUNDED_TO) {
                return true;
            }
        }
        return false;
    }

    /** Whether what it serves was heard from itself. */
    boolean heard() {
        return worker.heard();
    }

    void add(Shard shard) {
        shards.add(shard);
        freeBytes -= shard.bytes();
    }

    void remove(Shard shard) {
        if (shards.remove(shard)) {
            freeBytes += shard.bytes();
        }
    }
}
