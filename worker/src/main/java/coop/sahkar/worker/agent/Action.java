package coop.sahkar.worker.agent;

import coop.sahkar.worker.store.ShardKey;

/** Something to do so that a worker comes nearer to what the pool wants of it. */
public sealed interface Action {
    /** Get its file onto the disk. Also the new try of one that failed. */
    record Fetch(DesiredShard shard) implements Action {}

    /** Load it into memory. */
    record Load(ShardKey key) implements Action {}

    /** Let the ring and the head know it. */
    record Serve(ShardKey key) implements Action {}

    /** Take no new sessions. */
    record Drain(ShardKey key) implements Action {}

    /** Stop whatever is done with it, free its memory and forget it. Its file stays for a while. */
    record Drop(ShardKey key) implements Action {}

    /**
     * It can't be had.
     *
     * @param why in a sentence
     */
    record Fail(ShardKey key, String why) implements Action {}
}
