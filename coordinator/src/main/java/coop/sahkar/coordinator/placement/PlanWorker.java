package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.LlamaRelease;

/**
 * A worker as the planner sees it.
 *
 * @param id its id
 * @param memoryBytes memory it lends
 * @param bytesPerSecond weight bytes it passes per second in decode; 0 when it did not say
 * @param release what its llama.cpp can load
 */
public record PlanWorker(String id, long memoryBytes, long bytesPerSecond, LlamaRelease release) {}
