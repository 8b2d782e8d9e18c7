package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Further copies of the spans of models that are covered. A worker that has nothing to do serves a
 * span that a model stands and falls with, or else the weakest span that it can hold. A span that a
 * single worker holds gets a second holder where there is memory for it, or where another span has
 * three, so that the loss of a worker costs no fetching. When demand has moved, copies of the
 * strongest spans make way for the weakest.
 */
final class Replicas {
    /** A copy changes its span only if the one it leaves is so many times as strong. */
    private static final double WORTH_MOVING = 2;

    /** Of so many workers, one may change its span in one plan. */
    private static final int MOVING_PART = 50;

    private static final int MOST_TRIES = 32;

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
        List<Strengths.Entry> lonely = lonely();
        for (Load load : idle) {
            Strengths.Entry entry = lonelyFor(load, lonely);
            if (entry == null) {
                entry = weakestFor(load, Double.MAX_VALUE);
            }
            if (entry != null) {
                give(load, entry);
            }
        }
        second();
        // What stands is moved by a search where there are few, which sees more.
        if (!Refinement.few(models, loads)) {
            lonely().forEach(this::second);
            balance();
        }
    }

    /** Spans whose only holder a model cannot do without, the weakest first. */
    private List<Strengths.Entry> lonely() {
        return new ArrayList<>(
                strengths.weakestFirst().stream()
                        .filter(entry -> Spares.lonely(strengths.model(entry), entry.span()))
                        .toList());
    }

    private Strengths.@Nullable Entry lonelyFor(Load load, List<Strengths.Entry> lonely) {
        for (Strengths.Entry entry : lonely) {
            Holding model = strengths.model(entry);
            if (model.canGive(load, entry.span(), model.kvCells())) {
                lonely.remove(entry);
                return entry;
            }
        }
        return null;
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
        NavigableSet<Load> roomy = new TreeSet<>(Roster.ROOMY_FIRST);
        for (Holding model : models) {
            for (Span span : List.copyOf(model.spans())) {
                if (Spares.lonely(model, span)) {
                    if (roomy.isEmpty()) {
                        roomy.addAll(loads);
                    }
                    Load holder = firstThatTakes(roomy, model, span);
                    if (holder != null) {
                        roomy.remove(holder);
                        strengths.added(model.give(holder, span, model.kvCells()));
                        roomy.add(holder);
                    }
                }
            }
        }
    }

    /** A second holder is one of three or more of another span that holds nothing else. */
    private void second(Strengths.Entry lonely) {
        for (Strengths.Entry strong : strengths.strongest(MOST_TRIES)) {
            if (strengths.model(strong).holders(strong.span()) > 2) {
                for (Shard shard : copies(strong)) {
                    if (changed(shard, lonely)) {
                        return;
                    }
                }
            }
        }
    }

    private boolean changed(Shard shard, Strengths.Entry lonely) {
        Holding to = strengths.model(lonely);
        strengths.removing(shard);
        shard.model().take(shard);
        boolean can = to.canGive(shard.load(), lonely.span(), to.kvCells());
        if (can) {
            give(shard.load(), lonely);
        } else {
            shard.model().put(shard);
            strengths.added(shard);
        }
        return can;
    }

    private List<Shard> copies(Strengths.Entry entry) {
        return strengths.model(entry).shards().stream()
                .filter(shard -> shard.span().equals(entry.span()))
                .filter(shard -> shard.load().shards().size() == 1)
                .limit(MOST_TRIES)
                .toList();
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
            boolean enough = weakest >= 1 && strengths.model(strong).holders(strong.span()) < 3;
            for (Shard shard : enough ? List.<Shard>of() : copies(strong)) {
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
