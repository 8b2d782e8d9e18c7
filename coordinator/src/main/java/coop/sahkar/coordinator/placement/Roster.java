package coop.sahkar.coordinator.placement;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The workers while a plan is made, in the orders that the planner asks for. */
final class Roster {
    /** Those with most room first; of equal ones in the order of their ids. */
    static final Comparator<Load> ROOMY_FIRST =
            Comparator.comparingLong((Load l) -> -l.freeBytes()).thenComparingInt(Load::index);

    private final List<Load> loads = new ArrayList<>();
    private final List<Load> leaving = new ArrayList<>();
    private final Set<String> ids = new LinkedHashSet<>();
    private final Set<String> leavingIds = new LinkedHashSet<>();

    /**
     * @param leaving those that are given nothing any more
     */
    Roster(List<PlanWorker> workers, List<PlanWorker> leaving) {
        List<PlanWorker> sorted = new ArrayList<>(workers);
        sorted.sort(Comparator.comparing(PlanWorker::id));
        for (PlanWorker worker : sorted) {
            Load load = new Load(worker, loads.size());
            loads.add(load);
            ids.add(worker.id());
        }
        for (PlanWorker worker : leaving) {
            this.leaving.add(new Load(worker, loads.size() + this.leaving.size()));
            leavingIds.add(worker.id());
        }
    }

    /** Those that are about to leave; no others know of them. */
    List<Load> leaving() {
        return leaving;
    }

    /** All, by id. */
    List<Load> all() {
        return loads;
    }

    /** Whether a worker is here and does not leave. */
    boolean has(String id) {
        return ids.contains(id);
    }

    /** Whether a worker is about to leave. */
    boolean leaves(String id) {
        return leavingIds.contains(id);
    }

    /** Those that have no shard, by id. */
    List<Load> idle() {
        return loads.stream().filter(Load::idle).toList();
    }
}
