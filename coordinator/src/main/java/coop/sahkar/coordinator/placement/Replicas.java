package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Further copies of the spans of models that are covered. A worker that has nothing to do serves
 * the weakest span that it can hold. A span that a single worker holds gets a second holder where
 * there is memory for it, so that the loss of a worker costs no fetching. When demand has moved,
 * copies of the strongest spans make way for the weakest.
 */
final class Replicas {
    /** A copy changes its span only if the one it leaves is so many times as strong. */
    private static final double WORTH_MOVING = 2;

    /** Of so many workers, one may change its span in one plan. */
    private static final int MOVING_PART = 50;

    private static final int MOST_TRIES = 32;

    private static final Comparator<Load> ROOMY_FIRST =
            Comparator.comparingLong((Load l) -> -l.freeBytes()).thenComparingInt(Load::index);

    private final List<Holding> models;
    private final List<Load> loads;
    private final Strengths strengths;

    Replicas(List<Holding> models, List<Load> loads) {
        this.models = models;
        this.loads = loads;
        this.strengths = new Strengths(models);
    }

    void add() {
        List<Load> idle = new ArrayList<>(loads.stream().filter(Load::idle).toList());
        idle.sort(
                Comparator.comparingLong((Load l) -> -l.bytesPerSecond())
                        .thenComparingInt(Load::index));
        for (Load load : idle) {
            Strengths.Entry weakest = weakestFor(load, Double.MAX_VALUE);
            if (weakest != null) {
                give(load, weakest);
            }
        }
        second();
        balance();
    }

    private Strengths.@Nullable Entry weakestFor(Load load, double below) {
        for (Strengths.Entry entry : strengths.weakestFirst()) {
            if (entry.strength() >= below) {
                return null;
            }
            Holding model = strengths.model(entry);
            if (model.canGive(load, entry.span(), model.kvCells())) {
                return entry;
            }
        }
        return null;
    }

    private void give(Load load, Strengths.Entry entry) {
        Holding model = strengths.model(entry);
        strengths.added(model.give(load, entry.span(), model.kvCells()));
    }

    private void second() {
        NavigableSet<Load> roomy = new TreeSet<>(ROOMY_FIRST);
        roomy.addAll(loads);
        for (Holding model : models) {
            for (Span span : List.copyOf(model.spans())) {
                if (model.holders(span) == 1) {
                    Load holder = firstThatTakes(roomy, model, span);
                    if (holder != null) {
                        roomy.remove(holder);
                        model.give(holder, span, model.kvCells());
                        roomy.add(holder);
                    }
                }
            }
        }
    }

    private static @Nullable Load firstThatTakes(
            NavigableSet<Load> roomy, Holding model, Span span) {
        long bytes = model.costs().bytes(span, model.kvCells());
        int tries = 0;
        for (Load load : roomy) {
            if (load.freeBytes() < bytes || tries++ == MOST_TRIES) {
                return null;
            }
            if (model.canGive(load, span, model.kvCells())) {
                return load;
            }
        }
        return null;
    }

    /** Only workers that hold nothing else move: what they give up is what they take on. */
    private void balance() {
        int moves = Math.max(1, loads.size() / MOVING_PART);
        for (int move = 0; move < moves; move++) {
            if (!moveOne()) {
                return;
            }
        }
    }

    private boolean moveOne() {
        if (strengths.weakestFirst().isEmpty()) {
            return false;
        }
        double weakest = strengths.weakestFirst().first().strength();
        for (Strengths.Entry strong : strengths.strongest(MOST_TRIES)) {
            if (weakest * WORTH_MOVING > strong.strength()) {
                return false;
            }
            List<Shard> copies =
                    strengths.model(strong).shards().stream()
                            .filter(shard -> shard.span().equals(strong.span()))
                            .filter(shard -> shard.load().shards().size() == 1)
                            .limit(MOST_TRIES)
                            .toList();
            for (Shard shard : copies) {
                if (Mender.surplus(shard) && moved(strong, shard)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean moved(Strengths.Entry strong, Shard shard) {
        double left = strengths.without(strong, shard);
        Holding model = shard.model();
        strengths.removing(shard);
        model.take(shard);
        Strengths.Entry weak = weakestFor(shard.load(), left);
        boolean worth = weak != null && weak.strength() * WORTH_MOVING <= strong.strength();
        if (weak != null && worth) {
            Holding other = strengths.model(weak);
            Shard given = other.give(shard.load(), weak.span(), other.kvCells());
            strengths.added(given);
            return true;
        }
        model.put(shard);
        strengths.added(shard);
        return false;
    }
}
