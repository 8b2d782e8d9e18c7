package coop.sahkar.coordinator.placement;

import java.util.ArrayList;
import java.util.List;

/**
 * Improves a layout by giving all workers, where there are few, or else two at a time whatever they
 * could hold, on the finest cut: what one worker alone cannot better, two often can. Only where the
 * choices are few.
 */
final class PairSearch {
    private static final double LEAST_GAIN = 1e-3;

    /** Choices of one worker; with more, pairs of them would be too many. */
    private static final int MOST_CHOICES = 64;

    private final List<Holding> models;
    private final List<Load> loads;
    private int budget;

    /**
     * @param budget layouts to look at, at most
     */
    PairSearch(List<Holding> models, List<Load> loads, int budget) {
        this.budget = budget;
        this.models = models;
        this.loads = loads;
    }

    void improve(Layout layout) {
        Layout finest = layout.copy();
        for (int m = 0; m < models.size(); m++) {
            PlanModel model = models.get(m).model();
            if (model.minStages() > 1 || !finest.recut(m, Grids.places(model.cuts()))) {
                return;
            }
        }
        List<List<int[]>> choices = new ArrayList<>();
        for (int load = 0; load < loads.size(); load++) {
            List<int[]> some = choices(finest, load);
            if (some.size() > MOST_CHOICES) {
                return;
            }
            choices.add(some);
        }
        if (choices.stream().mapToDouble(List::size).reduce(1, (a, b) -> a * b) <= budget) {
            Layout best = finest.copy();
            all(finest.copy(), choices, 0, best, finest.score());
            finest = best;
        } else {
            climb(finest, choices);
        }
        layout.set(finest);
    }

    /** Tries everything; the score of the best so far. */
    private double all(
            Layout layout, List<List<int[]>> choices, int load, Layout best, double start) {
        double score = start;
        if (load == choices.size()) {
            double then = layout.score();
            if (then > score + LEAST_GAIN) {
                score = then;
                best.set(layout);
            }
            return score;
        }
        for (int[] choice : choices.get(load)) {
            take(layout, load, choice);
            score = all(layout, choices, load + 1, best, score);
        }
        return score;
    }

    /** All that a worker can hold: first and end place of each model in turn, -1 for nothing. */
    private List<int[]> choices(Layout layout, int load) {
        Layout trial = layout.copy();
        List<int[]> all = List.of(new int[0]);
        for (int m = 0; m < models.size() && all.size() <= MOST_CHOICES; m++) {
            List<int[]> longer = new ArrayList<>();
            for (int[] begun : all) {
                extend(trial, load, begun, m, longer);
            }
            all = longer;
        }
        return all;
    }

    private static void extend(Layout trial, int load, int[] begun, int m, List<int[]> found) {
        for (int first = -1; first < trial.places(m); first++) {
            int last = first < 0 ? 0 : trial.places(m);
            for (int end = first + 1; end <= last; end++) {
                int[] choice = java.util.Arrays.copyOf(begun, begun.length + 2);
                choice[begun.length] = first;
                choice[begun.length + 1] = end;
                trial.clear(load);
                take(trial, load, choice);
                if (trial.allowed(load)) {
                    found.add(choice);
                }
            }
        }
    }

    private static void take(Layout layout, int load, int[] choice) {
        for (int m = 0; m < choice.length / 2; m++) {
            layout.give(load, m, choice[2 * m], choice[2 * m + 1]);
        }
    }

    private void climb(Layout layout, List<List<int[]>> choices) {
        double score = layout.score();
        boolean better = true;
        while (better && budget > 0) {
            better = false;
            for (int one = 0; one < loads.size(); one++) {
                for (int other = one; other < loads.size(); other++) {
                    double then = best(layout, choices, one, other, score);
                    better |= then > score;
                    score = then;
                }
            }
        }
    }

    private double best(
            Layout layout, List<List<int[]>> choices, int one, int other, double start) {
        Layout best = layout.copy();
        double score = start;
        List<int[]> others = one == other ? List.of(new int[0]) : choices.get(other);
        for (int[] first : choices.get(one)) {
            for (int[] second : others) {
                if (budget-- <= 0) {
                    break;
                }
                take(layout, one, first);
                take(layout, other, second);
                double then = layout.score();
                if (then > score + LEAST_GAIN) {
                    score = then;
                    best.set(layout);
                }
            }
        }
        layout.set(best);
        return score;
    }
}
