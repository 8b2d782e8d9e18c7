package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Span;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Second holders for what a single worker holds, where nobody is left who holds nothing of the
 * model: a worker with room takes another part beside its own. It stands in a route once all the
 * same; so it takes one only if others hold its own too and can do without it.
 *
 * <p>The last thing a plan does, with the memory that is left: what a worker has beside its own is
 * never counted on for anything else, and makes way for anything else.
 */
final class Spares {
    /** Parts of one model that are given beside others, at most. */
    private static final int MOST_PER_MODEL = 16;

    private Spares() {}

    static void add(Holding model) {
        int given = 0;
        for (Span span : List.copyOf(model.spans())) {
            boolean wanted = lonely(model, span);
            while (given < MOST_PER_MODEL && wanted) {
                Optional<Load> second = second(model, span);
                second.ifPresent(load -> model.give(load, span, model.kvCells()));
                given++;
                wanted = second.isPresent() && usable(model, span) < 2;
            }
        }
    }

    /**
     * On how many holders of a span a session can count that has the head which is worst for it: a
     * session stays with its head, which cannot stand in for another of its stages.
     */
    private static int usable(Holding model, Span span) {
        boolean atHead =
                !span.isHead()
                        && model.shards().stream()
                                .filter(shard -> shard.span().equals(span))
                                .anyMatch(shard -> heads(shard.load(), model));
        return model.holders(span) - (atHead ? 1 : 0);
    }

    /** Whether the model stands and falls with the one worker that holds a span. */
    static boolean lonely(Holding model, Span span) {
        if (model.holders(span) != 1) {
            return false;
        }
        for (Shard shard : model.shards()) {
            if (shard.span().equals(span)) {
                return !Redundancy.outlives(model, shard.load());
            }
        }
        return false;
    }

    /**
     * Best a worker that is no head, nor becomes one. Then who has it already, then who has least
     * of the model, then who has most room.
     */
    private static Optional<Load> second(Holding model, Span span) {
        int kvCells = model.kvCells();
        return model.shards().stream()
                .map(Shard::load)
                .filter(load -> model.canGiveBeside(load, span, kvCells))
                .min(
                        Comparator.comparing((Load load) -> span.isHead() || heads(load, model))
                                .thenComparing(load -> !model.stood(load, span, kvCells))
                                .thenComparingInt(load -> load.parts(model))
                                .thenComparingLong(load -> -load.freeBytes())
                                .thenComparingInt(Load::index));
    }

    private static boolean heads(Load load, Holding model) {
        return load.shards().stream()
                .anyMatch(shard -> shard.model() == model && shard.span().isHead());
    }
}
