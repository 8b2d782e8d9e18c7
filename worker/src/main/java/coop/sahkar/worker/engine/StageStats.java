package coop.sahkar.worker.engine;

/**
 * How a stage fares, for reports.
 *
 * @param kvCells positions its KV holds in all
 * @param kvReserved positions reserved by sessions
 * @param sessions open sessions
 * @param queuedRows rows that wait
 * @param decodeMicros mean time of one batch of decode rows in the last interval; 0 when idle
 * @param rowsComputed rows computed since the shard was loaded
 * @param rowsAgain those of them that had been computed for their session before, here or by the
 *     worker that was lost
 * @param batches batches computed since then
 * @param droppedMessages messages of unknown sessions or routes, dropped
 * @param waitedFrames frames behind a gap, dropped because they come again
 * @param asked how often positions were asked for
 * @param resentFrames frames sent again
 * @param reopened sessions that were taken over to a newer route with what they held
 * @param repairs routes that this head has renewed
 * @param hops decode rows whose overhead was measured
 * @param hopMicrosP50 half of them took at most this from arrival to sending, computing and waiting
 *     for another batch's computing left out
 * @param hopMicrosP99 99 of 100 took at most this
 * @param loneDecodeMicros median of the latest computations of one token of a session that had the
 *     stage for itself
 * @param loneTokenMicros median time from one of those to the next: once round the ring
 * @param loneOutsideMicros median of what of that time no stage of the route computed; a head's
 *     only
 * @param resting sessions kept for a chat's next turn, not counted in {@code sessions}
 * @param restingCells positions they hold, given up to whoever needs the room
 * @param restingBytes memory in which they hold them outside the KV cache
 * @param rowsReused positions that a chat's next turn found here, and that were not computed again
 * @param moved sessions whose KV came here from a worker that left
 * @param rowsMoved positions it held, which were not computed again
 * @param notMoved sessions that took such a worker's place and had to compute after all
 */
public record StageStats(
        int kvCells,
        int kvReserved,
        int sessions,
        int queuedRows,
        int decodeMicros,
        long rowsComputed,
        long rowsAgain,
        long batches,
        long droppedMessages,
        long waitedFrames,
        long asked,
        long resentFrames,
        long reopened,
        long repairs,
        long hops,
        int hopMicrosP50,
        int hopMicrosP99,
        int loneDecodeMicros,
        int loneTokenMicros,
        int loneOutsideMicros,
        int resting,
        int restingCells,
        long restingBytes,
        long rowsReused,
        long moved,
        long rowsMoved,
        long notMoved) {}
