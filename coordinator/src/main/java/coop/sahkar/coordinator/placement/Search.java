package coop.sahkar.coordinator.placement;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Looks for a better layout of a few models on a few workers: every sensible cut of each model, and
 * for each the changes of one worker, or of two that change places, until none helps. It looks at
 * so many layouts and no more, always the same for the same pool.
 */
final class Search {
    private static final double LEAST_GAIN = 1e-3;

    private static final Comparator<Load> FAST_FIRST =
            Comparator.comparingLong((Load l) -> -l.bytesPerSecond()).thenComparingInt(Load::index);

    private static final Comparator<Load> TIGHT_FIRST =
            Comparator.comparingLong(Load::memoryBytes).thenComparingInt(Load::index);

    private final List<Holding> models;
    private final List<Load> loads;
    private final int pairs;
    private int budget;

    /**
     * @param budget layouts to look at in which one worker changes, or two change places
     * @param pairs layouts to look at in which two workers change at will
     */
    Search(List<Holding> models, List<Load> loads, int budget, int pairs) {
        this.pairs = pairs;
        this.models = models;
        this.loads = loads;
        this.budget = budget;
    }

    /** The best found, at least as good as {@code start}. */
    Layout from(Layout start) {
        Layout best = overGrids(start);
        new PairSearch(models, loads, pairs).improve(best);
        return best;
    }

    private Layout overGrids(Layout start) {
        Layout best = start.copy();
        double bestScore = climb(best);
        for (int pass = 0; pass < Math.min(2, models.size()); pass++) {
            for (int m = 0; m < models.size(); m++) {
                for (int[] grid : grids(m)) {
                    if (budget <= 0) {
                        return best;
                    }
                    for (Comparator<Load> order : List.of(FAST_FIRST, TIGHT_FIRST)) {
                        Layout trial = best.copy();
                        trial.cut(m, grid);
                        spread(trial, m, order);
                        double score = climb(trial);
                        if (score > bestScore + LEAST_GAIN) {
                            best = trial;
                            bestScore = score;
                        }
                    }
                }
            }
        }
        return best;
    }

    private List<int[]> grids(int m) {
        PlanModel model = models.get(m).model();
        int able = (int) loads.stream().filter(load -> load.canLoad(model)).count();
        int least = ChainFinder.leastStages(model, able);
        return Grids.of(model.cuts(), least, loads.size());
    }

    /** Gives every worker that can hold one the part that fewest have yet. */
    private void spread(Layout layout, int m, Comparator<Load> by) {
        double[] strength = new double[layout.places(m)];
        List<Load> order = new ArrayList<>(loads);
        order.sort(by);
        for (Load each : order) {
            int load = each.index();
            int weakest = -1;
            for (int place = 0; place < strength.length; place++) {
                layout.give(load, m, place, place + 1);
                boolean weaker = weakest < 0 || strength[place] < strength[weakest];
                if (weaker && layout.allowed(load)) {
                    weakest = place;
                }
            }
            layout.give(load, m, weakest, weakest + 1);
            if (weakest >= 0) {
                long nanos =
                        models.get(m)
                                .costs()
                                .nanos(layout.span(load, m), loads.get(load).bytesPerSecond());
                strength[weakest] += 1e9 / nanos;
            }
        }
    }

    private double climb(Layout layout) {
        double score = scored(layout);
        boolean better = true;
        while (better && budget > 0) {
            double before = score;
            for (int load = 0; load < loads.size(); load++) {
                score = changes(layout, load, score);
            }
            for (int one = 0; one < loads.size(); one++) {
                for (int other = one + 1; other < loads.size(); other++) {
                    score = swaps(layout, one, other, score);
                }
            }
            better = score > before + LEAST_GAIN;
        }
        return score;
    }

    private double changes(Layout layout, int load, double start) {
        double score = start;
        for (int m = 0; m < models.size(); m++) {
            int places = layout.places(m);
            boolean whole = models.get(m).model().minStages() <= 1;
            for (int first = -1; first < places; first++) {
                int last = first < 0 ? 0 : whole ? places : first + 1;
                for (int end = first + 1; end <= last; end++) {
                    score = change(layout, load, m, first, end, score);
                }
            }
        }
        return score;
    }

    /** Tries a part beside what the worker has of other models, and instead of it. */
    private double change(Layout layout, int load, int m, int first, int end, double start) {
        if (budget <= 0 || layout.holdsExactly(load, m, first, end)) {
            return start;
        }
        double score = start;
        for (int alone = 0; alone < Math.min(2, models.size()); alone++) {
            int[][] old = layout.row(load);
            if (alone == 1) {
                layout.clear(load);
            }
            layout.give(load, m, first, end);
            double then = layout.allowed(load) ? scored(layout) : -Double.MAX_VALUE;
            if (then > score + LEAST_GAIN) {
                score = then;
            } else {
                layout.setRow(load, old);
            }
        }
        return score;
    }

    private double swaps(Layout layout, int one, int other, double score) {
        if (budget <= 0) {
            return score;
        }
        layout.swap(one, other);
        double then =
                layout.allowed(one) && layout.allowed(other) ? scored(layout) : -Double.MAX_VALUE;
        if (then > score + LEAST_GAIN) {
            return then;
        }
        layout.swap(one, other);
        return score;
    }

    private double scored(Layout layout) {
        budget--;
        return layout.score();
    }
}
