package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.LlamaRelease;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Makes one model whole, with as little change as it takes: nothing, if a chain stands; the missing
 * spans for workers that have room; room made by evicting copies; a new chain; each with as large a
 * KV cache as policy wants or memory allows.
 */
final class Coverer {
    /** A standing chain is built anew for this many times the KV positions. */
    private static final int KV_WORTH_MOVING = 4;

    private final PlanView view;
    private final List<Load> loads;

    /** Sorted anew from how it was sorted last, which is quick. */
    private final List<Load> roomyFirst;

    /** By release, how many workers can load what needs it. */
    private final Map<LlamaRelease, Integer> able = new EnumMap<>(LlamaRelease.class);

    Coverer(PlanView view, List<Load> loads) {
        this.view = view;
        this.loads = loads;
        this.roomyFirst = new ArrayList<>(loads);
    }

    /** Whether the model is whole now; otherwise what stands is as it was. */
    boolean cover(Holding model) {
        return model.covered() || mend(model) || anew(model) || inPlaceOfCopies(model);
    }

    /** A new chain where second copies of other models stand, with as many stages as it takes. */
    private boolean inPlaceOfCopies(Holding model) {
        List<Shard> old = model.clear();
        for (int cells = view.kvPositions(); cells >= view.minKvPositions(); cells /= 2) {
            if (new Mender(model, loads, cells, true).mend()) {
                return true;
            }
        }
        old.forEach(model::put);
        return false;
    }

    /** What is missing beside what stands; nothing can be where nothing stands. */
    private boolean mend(Holding model) {
        for (int cells = model.kvCells(); cells >= view.minKvPositions(); cells /= 2) {
            if (new Mender(model, loads, cells, false).mend()
                    || new Mender(model, loads, cells, true).mend()) {
                return true;
            }
        }
        return false;
    }

    /** A new chain instead of what stands. */
    private boolean anew(Holding model) {
        List<Shard> old = model.clear();
        Candidates candidates = new Candidates(model);
        for (int cells = view.kvPositions(); cells >= view.minKvPositions(); cells /= 2) {
            Optional<Chain> chain = candidates.chain(cells);
            if (chain.isPresent()) {
                chain.get().take(model);
                return true;
            }
        }
        old.forEach(model::put);
        return false;
    }

    /** Who could be part of a new chain for a model that nobody holds. */
    private final class Candidates {
        private final Holding model;
        private final int least;
        private final List<Load> idle;
        private @Nullable List<Load> all;

        Candidates(Holding model) {
            this.model = model;
            this.least = leastStages(model);
            this.idle = roomyFirst(model, true);
        }

        Optional<Chain> chain(int cells) {
            Optional<Chain> chain = Optional.empty();
            if (idle.size() >= least) {
                chain = new ChainFinder(model, idle, cells).find(least);
            }
            return chain.isPresent() ? chain : new ChainFinder(model, all(), cells).find(least);
        }

        private List<Load> all() {
            List<Load> sorted = all == null ? roomyFirst(model, false) : all;
            all = sorted;
            return sorted;
        }
    }

    private List<Load> roomyFirst(Holding model, boolean idle) {
        roomyFirst.sort(Roster.ROOMY_FIRST);
        List<Load> some = new ArrayList<>();
        for (Load load : roomyFirst) {
            if ((!idle || load.idle()) && load.canLoad(model.model())) {
                some.add(load);
            }
        }
        return some;
    }

    private int leastStages(Holding model) {
        if (model.model().minStages() <= 1) {
            return 1;
        }
        int count =
                able.computeIfAbsent(
                        model.model().oldestRelease(),
                        _ ->
                                (int)
                                        loads.stream()
                                                .filter(load -> load.canLoad(model.model()))
                                                .count());
        return ChainFinder.leastStages(model.model(), count);
    }

    /**
     * Builds a chain anew that has fewer stages than were asked for, or a far smaller KV cache than
     * could be had; only if it can be handed over without a break.
     */
    void improve(Holding model) {
        boolean short_ = model.stages() < leastStages(model);
        int most = view.kvPositions();
        boolean cramped = model.kvCells() < most / KV_WORTH_MOVING;
        if (!short_ && !cramped) {
            return;
        }
        int least = short_ ? model.kvCells() : model.kvCells() * KV_WORTH_MOVING + 1;
        List<Shard> old = model.clear();
        Candidates candidates = new Candidates(model);
        for (int cells = most; cells >= Math.min(most, least); cells /= 2) {
            Optional<Chain> chain = candidates.chain(cells);
            if (chain.isPresent()) {
                chain.get().take(model);
                if (new Handover(model).completes()) {
                    return;
                }
                model.clear();
            }
        }
        old.forEach(model::put);
    }
}
