package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Cuts;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds one chain for a model that nobody holds: as few stages as hold it, though at least as many
 * as asked for; then the fastest. Among few workers, which ones and in what order is tried over
 * several sensible choices, and cuts within a choice are exact. Among many, the model is cut
 * evenly, as coarsely as lets most of the pool's speed be of use to it, so that its spans are
 * interchangeable and small workers count too.
 */
final class ChainFinder {
    /** Up to so many workers, cuts are fitted to each. */
    static final int FEW = 16;

    /** The share of the pool's speed that must be of use to an even cut. */
    private static final double USEFUL = 0.85;

    private final Holding holding;
    private final List<Load> loads;
    private final Cuts cuts;
    private final int kvCells;

    /** The speed of so many of the roomiest workers that can load the model. */
    private final double[] speeds;

    /**
     * @param loads the workers to choose from, the roomiest first
     */
    ChainFinder(Holding holding, List<Load> loads, int kvCells) {
        this.holding = holding;
        this.loads = loads;
        this.cuts = holding.model().cuts();
        this.kvCells = kvCells;
        this.speeds = new double[loads.size() + 1];
        for (int i = 0; i < loads.size(); i++) {
            Load load = loads.get(i);
            speeds[i + 1] = speeds[i] + (load.canLoad(holding.model()) ? load.bytesPerSecond() : 0);
        }
    }

    /** Stages a chain must have, given how many workers could be part of it. */
    static int leastStages(PlanModel model, int workers) {
        int asked = Math.max(1, model.minStages());
        return Math.max(1, Math.min(asked, Math.min(workers, model.cuts().units())));
    }

    /** The chain to build. */
    Optional<Chain> find(int leastStages) {
        return loads.size() <= FEW ? fitted(leastStages) : even(leastStages);
    }

    private Optional<Chain> fitted(int leastStages) {
        int most = Math.min(loads.size(), cuts.units());
        for (int stages = leastStages; stages <= most; stages++) {
            Chain best = null;
            long bestNanos = Long.MAX_VALUE;
            for (List<Load> order : orders(stages)) {
                Chain chain = new Cutter(holding, order, kvCells).cut();
                long nanos = chain == null ? Long.MAX_VALUE : chain.slowestNanos(holding);
                if (chain != null && nanos < bestNanos) {
                    best = chain;
                    bestNanos = nanos;
                }
            }
            if (best != null) {
                return Optional.of(best);
            }
        }
        return Optional.empty();
    }

    private Set<List<Load>> orders(int stages) {
        Comparator<Load> byId = Comparator.comparing(Load::id);
        Comparator<Load> fastFirst = Comparator.comparingLong(l -> -l.bytesPerSecond());
        Comparator<Load> roomyFirst = Comparator.comparingLong(l -> -l.freeBytes());
        Set<List<Load>> orders = new LinkedHashSet<>();
        for (Comparator<Load> choice :
                List.of(fastFirst.thenComparing(roomyFirst), roomyFirst.thenComparing(fastFirst))) {
            List<Load> chosen =
                    loads.stream().sorted(choice.thenComparing(byId)).limit(stages).toList();
            orders.add(chosen.stream().sorted(byId).toList());
            orders.add(chosen);
            orders.add(chosen.reversed());
            List<Load> roomyEnds = new ArrayList<>(chosen.subList(1, stages));
            roomyEnds.add(chosen.getFirst());
            orders.add(List.copyOf(roomyEnds));
        }
        return orders;
    }

    private Optional<Chain> even(int leastStages) {
        int most = Math.min(Math.min(loads.size(), cuts.units()), Limits.MAX_STAGES);
        double all = usefulSpeed(0);
        Chain found = null;
        for (int stages = leastStages; stages <= most; stages++) {
            List<Span> spans = evenCut(stages);
            long largest = 0;
            for (Span span : spans) {
                largest = Math.max(largest, holding.costs().bytes(span, kvCells));
            }
            boolean useful = usefulSpeed(largest) >= USEFUL * all;
            boolean fits = largest <= loads.getFirst().freeBytes();
            if (fits && (useful || found == null)) {
                Chain chain = chosen(spans);
                found = chain == null ? found : chain;
            }
            if (useful && found != null) {
                break;
            }
        }
        return Optional.ofNullable(found);
    }

    private double usefulSpeed(long bytes) {
        return speeds[roomyFor(bytes)];
    }

    /** How many have so much room: the first of them all. */
    private int roomyFor(long bytes) {
        int roomy = 0;
        int beyond = loads.size() + 1;
        while (roomy + 1 < beyond) {
            int middle = (roomy + beyond) / 2;
            if (loads.get(middle - 1).freeBytes() >= bytes) {
                roomy = middle;
            } else {
                beyond = middle;
            }
        }
        return roomy;
    }

    /** Spans of about equal time. */
    private List<Span> evenCut(int stages) {
        List<Span> spans = new ArrayList<>();
        long speed = loads.getFirst().bytesPerSecond();
        long left = holding.costs().nanos(new Span(0, cuts.blockCount()), speed);
        int unit = 0;
        for (int stage = 0; stage < stages; stage++) {
            int after = stages - 1 - stage;
            long share = left / (after + 1);
            int end = after == 0 ? cuts.units() : unit + 1;
            while (end < cuts.units() - after && nearer(unit, end, share, speed)) {
                end++;
            }
            Span span = cuts.span(unit, end);
            left -= holding.costs().nanos(span, speed);
            spans.add(span);
            unit = end;
        }
        return spans;
    }

    private boolean nearer(int unit, int end, long share, long speed) {
        long now = holding.costs().nanos(cuts.span(unit, end), speed);
        long then = holding.costs().nanos(cuts.span(unit, end + 1), speed);
        return Math.abs(then - share) < Math.abs(now - share);
    }

    /** A worker for each span, the smallest that holds it: the roomy ones are kept for more. */
    private @Nullable Chain chosen(List<Span> spans) {
        Load[] chosen = new Load[spans.size()];
        List<Integer> heaviest = new ArrayList<>();
        for (int i = 0; i < spans.size(); i++) {
            heaviest.add(i);
        }
        heaviest.sort(Comparator.comparingLong(i -> -holding.costs().bytes(spans.get(i), kvCells)));
        Set<Load> used = new LinkedHashSet<>();
        for (int i : heaviest) {
            int roomy = roomyFor(holding.costs().bytes(spans.get(i), kvCells));
            for (int l = roomy - 1; l >= 0 && chosen[i] == null; l--) {
                Load load = loads.get(l);
                if (!used.contains(load) && holding.canGive(load, spans.get(i), kvCells)) {
                    chosen[i] = load;
                    used.add(load);
                }
            }
            if (chosen[i] == null) {
                return null;
            }
        }
        return new Chain(List.of(chosen), spans, kvCells);
    }
}
