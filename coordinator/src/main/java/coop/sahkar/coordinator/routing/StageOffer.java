package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.Span;

/**
 * A shard that could be a stage of a route.
 *
 * @param workerId who serves it
 * @param endpoint where it is reached
 * @param span its blocks
 * @param computeMicros time of one token in it
 * @param kvCells KV positions it has in all; 0 when unknown
 * @param freePositions KV positions it can still give; {@link #UNKNOWN} when it did not say
 * @param sessions sessions it carries, those routed there a moment ago included
 * @param queuedRows rows that wait to be computed
 */
public record StageOffer(
        String workerId,
        String endpoint,
        Span span,
        long computeMicros,
        int kvCells,
        long freePositions,
        int sessions,
        int queuedRows) {

    /** A worker that has not said how much room it has. */
    static final long UNKNOWN = -1;

    /** Whether it has room for a session of that many positions, as far as is known. */
    boolean hasRoom(int positions) {
        return freePositions == UNKNOWN || freePositions >= positions;
    }

    /** The same to a session that has so many positions there already. */
    StageOffer toHolder(int positions) {
        return freePositions == UNKNOWN
                ? this
                : new StageOffer(
                        workerId,
                        endpoint,
                        span,
                        computeMicros,
                        kvCells,
                        Math.min(kvCells, freePositions + positions),
                        sessions,
                        queuedRows);
    }

    /** The same shard with no session in it. */
    StageOffer empty() {
        long all = kvCells > 0 ? kvCells : UNKNOWN;
        return new StageOffer(workerId, endpoint, span, computeMicros, kvCells, all, 0, 0);
    }
}
