package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Cuts;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The cheapest way to make a chain of what a model's holders have: which spans are missing, so that
 * the fewest bytes must be fetched. A shortest path over the places where the model may be cut;
 * what is held costs nothing.
 */
final class Gaps {
    /** A further stage costs as much as this many bytes: each lengthens every token's way. */
    private static final long STAGE_BYTES = 1 << 20;

    private final Holding holding;
    private final Cuts cuts;
    private final long[] cost;
    private final int[] from;
    private final boolean[] held;

    private Gaps(Holding holding) {
        this.holding = holding;
        this.cuts = holding.model().cuts();
        this.cost = new long[cuts.units() + 1];
        this.from = new int[cuts.units() + 1];
        this.held = new boolean[cuts.units() + 1];
    }

    /** The missing spans, in order; empty when nothing is missing. */
    static List<Span> of(Holding holding) {
        return new Gaps(holding).find();
    }

    private List<Span> find() {
        Arrays.fill(cost, Long.MAX_VALUE);
        cost[0] = 0;
        for (int unit = 0; unit < cuts.units(); unit++) {
            for (Span span : holding.spans()) {
                if (span.first() == block(unit)) {
                    reach(unit, unit(span.end()), 0, true);
                }
            }
            for (int end = unit + 1; end <= cuts.units(); end++) {
                Span span = cuts.span(unit, end);
                reach(unit, end, holding.costs().weightBytes(span) + STAGE_BYTES, false);
            }
        }
        List<Span> missing = new ArrayList<>();
        for (int end = cuts.units(); end > 0; end = from[end]) {
            if (!held[end]) {
                missing.addFirst(cuts.span(from[end], end));
            }
        }
        return missing;
    }

    private void reach(int unit, int end, long bytes, boolean isHeld) {
        if (cost[unit] + bytes < cost[end]) {
            cost[end] = cost[unit] + bytes;
            from[end] = unit;
            held[end] = isHeld;
        }
    }

    private int block(int unit) {
        return unit * cuts.grain();
    }

    private int unit(int block) {
        return block == cuts.blockCount() ? cuts.units() : block / cuts.grain();
    }
}
