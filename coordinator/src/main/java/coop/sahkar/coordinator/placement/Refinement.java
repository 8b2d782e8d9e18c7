package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * In a pool of a few workers every span counts: there a search improves on what the rules of thumb
 * gave. What stands changes only for a gain that is worth its fetching, and only where it can be
 * handed over without a break.
 */
final class Refinement {
    /** In larger pools the rules of thumb are as good, and the search would take too long. */
    static final int MOST_WORKERS = 8;

    private static final int MOST_MODELS = 4;

    /** What stands changes for this: an eighth more throughput. */
    private static final double WORTH_MOVING = 0.13;

    private static final double LEAST_GAIN = 0.01;

    /** What fetching all weights once counts against a change, as a gain in throughput lost. */
    private static final double FETCH_PRICE = 0.07;

    /** The same where nothing stands yet. */
    private static final double FIRST_FETCH_PRICE = 0.05;

    /** The same where a model depends on one worker: what helps against that must come soon. */
    private static final double RESCUE_FETCH_PRICE = 1.0;

    /** Layouts looked at where nothing stands yet. */
    private static final int FIRST_LAYOUTS = 6000;

    private static final int FIRST_PAIRS = 20_000;

    /**
     * Layouts looked at to change what stands, in each round: the same in every round and every
     * plan, so that a plan that found nothing more finds nothing when it is made again.
     */
    private static final int LAYOUTS = 1500;

    private static final int PAIRS = 1500;

    private final List<Holding> models;
    private final List<Load> loads;
    private final int minKvCells;
    private final int mostKvCells;

    Refinement(List<Holding> models, List<Load> loads, int minKvCells, int mostKvCells) {
        this.models = models;
        this.loads = loads;
        this.minKvCells = minKvCells;
        this.mostKvCells = mostKvCells;
    }

    /** Whether a pool is small enough to be searched. */
    static boolean few(List<Holding> models, List<Load> loads) {
        return models.size() <= MOST_MODELS && loads.size() <= MOST_WORKERS;
    }

    /**
     * Whether anything was changed.
     *
     * @param first whether nothing was refined for this plan before
     */
    boolean refine(boolean first) {
        if (models.isEmpty() || !few(models, loads)) {
            return false;
        }
        boolean fresh = first && models.stream().allMatch(model -> model.before().isEmpty());
        return (fresh && begin()) || change();
    }

    /** Looks far, where nothing stands yet. */
    private boolean begin() {
        Layout start = layout(FIRST_FETCH_PRICE);
        double score = start.score();
        if (start.bound() - score < LEAST_GAIN) {
            return false;
        }
        Layout found = new Search(models, loads, FIRST_LAYOUTS, FIRST_PAIRS).from(start);
        return found.score() - score >= LEAST_GAIN && apply(found);
    }

    private boolean change() {
        Layout start = layout(FETCH_PRICE);
        double score = start.score();
        if (start.bound() - score < WORTH_MOVING) {
            return false;
        }
        Layout found = better(start);
        return found.score() - score >= WORTH_MOVING && apply(found);
    }

    private Layout better(Layout start) {
        double price = start.safe() ? FETCH_PRICE : RESCUE_FETCH_PRICE;
        return new Search(models, loads, LAYOUTS, PAIRS)
                .from(start.priced(price))
                .priced(FETCH_PRICE);
    }

    private Layout layout(double fetchPrice) {
        long[] memory = new long[loads.size()];
        for (Load load : loads) {
            memory[load.index()] = load.freeBytes();
        }
        int[] cells = new int[models.size()];
        for (int m = 0; m < models.size(); m++) {
            models.get(m).shards().forEach(s -> memory[s.load().index()] += s.bytes());
            cells[m] = models.get(m).shards().isEmpty() ? minKvCells : models.get(m).kvCells();
        }
        Layout layout = new Layout(models, loads, memory, cells, fetchPrice);
        for (int m = 0; m < models.size(); m++) {
            fill(layout, m);
        }
        return layout;
    }

    private void fill(Layout layout, int m) {
        Holding model = models.get(m);
        SortedSet<Integer> places = new TreeSet<>(List.of(0, model.blocks()));
        for (Span span : model.spans()) {
            places.add(span.first());
            places.add(span.end());
        }
        layout.cut(m, places.stream().mapToInt(Integer::intValue).toArray());
        for (Shard shard : model.shards()) {
            int first = places.headSet(shard.span().first()).size();
            int end = places.headSet(shard.span().end()).size();
            layout.give(shard.load().index(), m, first, end);
        }
    }

    private boolean apply(Layout found) {
        List<List<Shard>> old = new ArrayList<>();
        models.forEach(model -> old.add(model.clear()));
        for (int m = 0; m < models.size(); m++) {
            for (Load load : loads) {
                if (found.holds(load.index(), m)) {
                    Span span = found.span(load.index(), m);
                    give(models.get(m), load, span, found.kvCells(m), old.get(m));
                }
            }
        }
        boolean good = true;
        for (int m = 0; m < models.size(); m++) {
            Holding model = models.get(m);
            boolean was = !old.get(m).isEmpty();
            good &= (model.covered() || !was) && new Handover(model).completes();
            if (model.covered() && !was) {
                widen(model);
            }
        }
        if (!good) {
            models.forEach(Holding::clear);
            old.forEach(shards -> shards.forEach(shard -> shard.model().put(shard)));
        }
        return good;
    }

    /** Gives a model that was fitted in with the smallest KV caches larger ones, if they fit. */
    private void widen(Holding model) {
        List<Shard> small = model.clear();
        for (int cells = mostKvCells; cells > minKvCells; cells /= 2) {
            for (Shard shard : small) {
                if (model.canGive(shard.load(), shard.span(), cells)) {
                    model.give(shard.load(), shard.span(), cells);
                }
            }
            if (model.shards().size() == small.size()) {
                return;
            }
            model.clear();
        }
        small.forEach(model::put);
    }

    /** What stands there already is kept as it is. */
    private static void give(Holding model, Load load, Span span, int kvCells, List<Shard> old) {
        List<Shard> same = new ArrayList<>();
        for (Shard shard : old) {
            if (shard.load() == load && shard.span().equals(span)) {
                same.add(shard);
            }
        }
        if (same.isEmpty()) {
            model.give(load, span, kvCells);
        } else {
            same.forEach(model::put);
        }
    }
}
