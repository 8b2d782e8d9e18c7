package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Cuts;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Cuts one model for workers in a given order, each getting at least one unit (the smallest part
 * that {@link coop.sahkar.proto.Cuts} allows). The cut first minimizes the slowest stage; then,
 * among cuts that are hardly slower, it takes the one whose spans are proportional to speed, which
 * is steadier and easier to read.
 */
final class Cutter {
    /** How much slower than the best the slowest stage may be for the sake of an even cut. */
    private static final double TOLERANCE = 1.2;

    private static final int SEARCH_STEPS = 48;

    private final Holding holding;
    private final Cuts cuts;
    private final List<Load> order;
    private final int kvCells;
    private final int units;

    Cutter(Holding holding, List<Load> order, int kvCells) {
        this.holding = holding;
        this.cuts = holding.model().cuts();
        this.order = order;
        this.kvCells = kvCells;
        this.units = cuts.units();
    }

    /** The best cut, or null when the workers' memory does not hold the model in this order. */
    @Nullable Chain cut() {
        if (order.size() > units || !feasible(0, 0, Long.MAX_VALUE)) {
            return null;
        }
        long slowest = fastest();
        long allowed = (long) (slowest * TOLERANCE);
        List<Span> spans = new ArrayList<>();
        int unit = 0;
        for (int stage = 0; stage < order.size(); stage++) {
            int taken = proportional(stage, unit, allowed);
            spans.add(cuts.span(unit, unit + taken));
            unit += taken;
        }
        return new Chain(order, spans, kvCells);
    }

    /** The least time for the slowest stage, by bisection. */
    private long fastest() {
        long low = 0;
        long high = 1;
        for (int i = 0; i < SEARCH_STEPS + 10 && !feasible(0, 0, high); i++) {
            low = high;
            high *= 2;
        }
        for (int i = 0; i < SEARCH_STEPS && low + 1 < high; i++) {
            long middle = low + (high - low) / 2;
            if (feasible(0, 0, middle)) {
                high = middle;
            } else {
                low = middle;
            }
        }
        return high;
    }

    /** Units for one stage: as near its share of the speed as leaves a cut for the others. */
    private int proportional(int stage, int from, long nanos) {
        if (stage == order.size() - 1) {
            return units - from;
        }
        long speed = 0;
        for (Load load : order.subList(stage, order.size())) {
            speed += load.bytesPerSecond();
        }
        double share = (double) order.get(stage).bytesPerSecond() / speed * (units - from);
        int best = 0;
        int most = most(stage, from, nanos);
        for (int taken = 1; taken <= most; taken++) {
            // Of two as near the longer one: what is left over is the tail's, which has more to do.
            boolean nearer = best == 0 || Math.abs(taken - share) <= Math.abs(best - share);
            if (nearer && feasible(stage + 1, from + taken, nanos)) {
                best = taken;
            }
        }
        return best;
    }

    /**
     * Whether the stages from {@code stage} on can serve the units from {@code from} on in time.
     */
    private boolean feasible(int stage, int from, long nanos) {
        int unit = from;
        for (int s = stage; s < order.size(); s++) {
            int taken = most(s, unit, nanos);
            if (taken == 0) {
                return false;
            }
            unit += taken;
        }
        return unit == units;
    }

    /** Most units a stage can serve from {@code from} on, leaving one for each stage after it. */
    private int most(int stage, int from, long nanos) {
        Load load = order.get(stage);
        int fits = 0;
        int tooMany = units - from - (order.size() - 1 - stage) + 1;
        while (fits + 1 < tooMany) {
            int taken = (fits + tooMany) / 2;
            Span span = cuts.span(from, from + taken);
            boolean can =
                    holding.canGive(load, span, kvCells)
                            && holding.costs().nanos(span, load.bytesPerSecond()) <= nanos;
            if (can) {
                fits = taken;
            } else {
                tooMany = taken;
            }
        }
        return fits;
    }
}
