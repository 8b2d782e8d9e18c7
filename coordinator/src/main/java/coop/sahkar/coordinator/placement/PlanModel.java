package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.ModelFootprint;

/**
 * A model as the planner sees it.
 *
 * @param id {@code name@digest}
 * @param name what people call it
 * @param footprint what its parts weigh
 * @param grain cuts fall on multiples of this many blocks
 * @param minStages cut it into at least this many spans
 */
public record PlanModel(
        String id, String name, ModelFootprint footprint, int grain, int minStages) {

    /** Pieces that are never cut. */
    int units() {
        return (footprint.blockCount() + grain - 1) / grain;
    }
}
