package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.Span;

/**
 * A shard that could be a stage of a route.
 *
 * @param workerId who serves it
 * @param endpoint where it is reached
 * @param span its blocks
 * @param computeMicros time of one token in it
 * @param freePositions KV positions it can still give; negative when unknown
 * @param sessions sessions it carries, those routed there a moment ago included
 */
public record StageOffer(
        String workerId,
        String endpoint,
        Span span,
        long computeMicros,
        long freePositions,
        int sessions) {

    /** Whether it has room for a session of that many positions, as far as is known. */
    boolean hasRoom(int positions) {
        return freePositions < 0 || freePositions >= positions;
    }
}
