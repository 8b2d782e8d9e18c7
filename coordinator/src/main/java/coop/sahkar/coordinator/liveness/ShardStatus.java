package coop.sahkar.coordinator.liveness;

import coop.sahkar.proto.Span;

/**
 * One shard as its worker last reported it.
 *
 * @param modelId {@code name@digest}
 * @param span its blocks
 * @param phase how far it is
 * @param bytesDone bytes that are there and checked
 * @param bytesTotal bytes it will have
 * @param failure why it failed; empty otherwise
 * @param kvCells positions its KV cache holds in all; 0 when unknown
 * @param kvReserved positions reserved by sessions
 * @param sessions open sessions
 * @param queuedRows rows waiting in its mailbox
 * @param decodeMicros mean time of one decode; 0 when it was idle
 * @param rowsComputed rows computed since it was loaded
 * @param pace of a session that has the stage for itself
 * @param mending what repairs of routes have cost here
 * @param resting what is kept of finished chats
 */
public record ShardStatus(
        String modelId,
        Span span,
        Phase phase,
        long bytesDone,
        long bytesTotal,
        String failure,
        int kvCells,
        int kvReserved,
        int sessions,
        int queuedRows,
        int decodeMicros,
        long rowsComputed,
        Pace pace,
        Mending mending,
        Resting resting) {

    /** A shard where nothing was repaired and no chat rests. */
    public ShardStatus(
            String modelId,
            Span span,
            Phase phase,
            long bytesDone,
            long bytesTotal,
            String failure,
            int kvCells,
            int kvReserved,
            int sessions,
            int queuedRows,
            int decodeMicros,
            long rowsComputed,
            Pace pace) {
        this(
                modelId,
                span,
                phase,
                bytesDone,
                bytesTotal,
                failure,
                kvCells,
                kvReserved,
                sessions,
                queuedRows,
                decodeMicros,
                rowsComputed,
                pace,
                new Mending(0, 0, 0),
                new Resting(0, 0, 0));
    }

    /**
     * What repairs have cost since the shard was loaded.
     *
     * @param repairs routes that this head has renewed
     * @param reopened sessions taken over to a newer route
     * @param rowsAgain rows computed that had been computed before
     */
    public record Mending(long repairs, long reopened, long rowsAgain) {}

    /**
     * Finished chats that are kept for their next turn, beside the sessions that run.
     *
     * @param sessions how many
     * @param cells positions they hold, given up to whoever needs the room
     * @param rowsReused positions that next turns found here since the shard was loaded
     */
    public record Resting(int sessions, int cells, long rowsReused) {}

    /**
     * Medians of the latest tokens of sessions that had the stage for themselves; 0 when unknown.
     *
     * @param loneDecodeMicros computing one token
     * @param loneTokenMicros from the beginning of one to that of the next
     * @param loneOutsideMicros what of that time no stage computed; a head's only
     * @param innerHopMicros in the stage, outside computing
     */
    public record Pace(
            int loneDecodeMicros, int loneTokenMicros, int loneOutsideMicros, int innerHopMicros) {
        /** Nothing is known. */
        public static final Pace UNKNOWN = new Pace(0, 0, 0, 0);
    }

    /** How far a shard is. */
    public enum Phase {
        /** Its tensors are being fetched and checked. */
        FETCHING,
        /** llama.cpp is loading it. */
        LOADING,
        /** It takes sessions. */
        SERVING,
        /** It takes no new sessions and leaves with the last one. */
        DRAINING,
        /** It could not be fetched or loaded. */
        FAILED
    }

    /** Whether it takes sessions now. */
    public boolean serving() {
        return phase == Phase.SERVING;
    }
}
