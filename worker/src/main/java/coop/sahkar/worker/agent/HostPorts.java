package coop.sahkar.worker.agent;

import coop.sahkar.worker.engine.Links;
import coop.sahkar.worker.engine.LogRoom;
import coop.sahkar.worker.head.Rerouting;
import coop.sahkar.worker.ring.SessionDirectory;
import coop.sahkar.worker.store.ShardKey;

/**
 * What a shard host works with.
 *
 * @param loader loads shards into memory
 * @param links the way to other workers
 * @param logs where stages keep what they have sent
 * @param directory where the ring finds stages
 * @param heads where generations find heads
 * @param rerouting where heads ask for other routes
 * @param changed called on the host's thread after every change; must not block
 */
record HostPorts(
        StageLoader loader,
        Links links,
        LogRoom logs,
        SessionDirectory directory,
        Heads heads,
        Rerouting rerouting,
        Runnable changed) {

    /** Where heads are entered so that generations can be run from them. */
    interface Heads {
        void register(HostedHead head);

        void unregister(ShardKey key);
    }
}
