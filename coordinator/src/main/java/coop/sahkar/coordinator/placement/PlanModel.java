package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.state.ModelFootprint;
import coop.sahkar.proto.Cuts;
import coop.sahkar.proto.LlamaRelease;

/**
 * A model as the planner sees it.
 *
 * @param id {@code name@digest}
 * @param name what people call it
 * @param footprint what its parts weigh
 * @param cuts where it may be cut
 * @param oldestRelease first llama.cpp that loads it
 * @param minStages cut it into at least this many spans
 * @param sourced whether a published source of its bytes answers; if none does, only what a worker
 *     serves can be had
 * @param demand tokens per second asked of it lately, roughly; at least 1
 */
public record PlanModel(
        String id,
        String name,
        ModelFootprint footprint,
        Cuts cuts,
        LlamaRelease oldestRelease,
        int minStages,
        boolean sourced,
        long demand) {}
