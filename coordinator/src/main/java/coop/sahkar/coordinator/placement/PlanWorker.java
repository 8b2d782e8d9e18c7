package coop.sahkar.coordinator.placement;

/**
 * A worker as the planner sees it.
 *
 * @param id its id
 * @param memoryBytes memory it lends
 * @param bytesPerSecond weight bytes it passes per second in decode; 0 when it did not say
 */
public record PlanWorker(String id, long memoryBytes, long bytesPerSecond) {}
