package coop.sahkar.coordinator;

import coop.sahkar.governance.Policy;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How to start a coordinator.
 *
 * @param id names it among its peers: letters, digits, dot, dash, underscore
 * @param dataDirectory where its log, snapshots and key live; made if absent
 * @param raftHost address its log listens on
 * @param raftPort port its log listens on; 0 picks a free one (a single coordinator only)
 * @param joinThrough a gateway, {@code host:port}, of the pool that it joins at its first start;
 *     null for one that begins a pool, or that is a member already
 * @param advertised where workers reach the gateways of the pool, {@code host:port}; the
 *     coordinator's own first, since its relay is reached there
 * @param policy the policy to adopt at start; null keeps the one in force
 * @param startTimeoutMillis how long to wait for the log to have a leader
 */
public record CoordinatorOptions(
        String id,
        Path dataDirectory,
        String raftHost,
        int raftPort,
        @Nullable String joinThrough,
        List<String> advertised,
        @Nullable Policy policy,
        int startTimeoutMillis) {

    /** The port that a coordinator's log listens on unless told otherwise. */
    public static final int DEFAULT_RAFT_PORT = 7312;

    public CoordinatorOptions {
        advertised = List.copyOf(advertised);
    }

    /** A single coordinator on loopback, its log on a free port. */
    public static CoordinatorOptions single(String id, Path dataDirectory) {
        return new CoordinatorOptions(
                id, dataDirectory, "127.0.0.1", 0, null, List.of(), null, 30_000);
    }

    /** The same with another policy. */
    public CoordinatorOptions withPolicy(Policy newPolicy) {
        return new CoordinatorOptions(
                id,
                dataDirectory,
                raftHost,
                raftPort,
                joinThrough,
                advertised,
                newPolicy,
                startTimeoutMillis);
    }

    /** The same, listening elsewhere. */
    public CoordinatorOptions withRaft(String host, int port) {
        return new CoordinatorOptions(
                id, dataDirectory, host, port, joinThrough, advertised, policy, startTimeoutMillis);
    }

    /** The same, with these gateways told to workers. */
    public CoordinatorOptions withAdvertised(List<String> gateways) {
        return new CoordinatorOptions(
                id,
                dataDirectory,
                raftHost,
                raftPort,
                joinThrough,
                gateways,
                policy,
                startTimeoutMillis);
    }

    /** The same, to join the pool behind this gateway at its first start. */
    public CoordinatorOptions joining(String gateway) {
        return new CoordinatorOptions(
                id,
                dataDirectory,
                raftHost,
                raftPort,
                gateway,
                advertised,
                policy,
                startTimeoutMillis);
    }

    /** The same, with so much time for the log to have a leader. */
    public CoordinatorOptions withStartTimeout(int millis) {
        return new CoordinatorOptions(
                id, dataDirectory, raftHost, raftPort, joinThrough, advertised, policy, millis);
    }
}
