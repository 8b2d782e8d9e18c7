package coop.sahkar.coordinator.state;

import coop.sahkar.proto.Span;

/**
 * One shard that a worker should hold.
 *
 * @param modelId {@code name@digest}
 * @param span its blocks
 * @param kvCells positions its KV cache should hold
 */
public record AssignedShard(String modelId, Span span, int kvCells) {}
