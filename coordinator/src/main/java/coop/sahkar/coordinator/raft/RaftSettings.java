package coop.sahkar.coordinator.raft;

import coop.sahkar.coordinator.state.ManifestRules;
import java.io.File;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.client.RaftClientConfigKeys;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/**
 * How Ratis is set up, and every place where its defaults do not fit: reads that are not
 * linearizable, no snapshots, messages too small for a manifest, elections too eager for links
 * beyond a LAN, and a pause of the process that ends it.
 */
final class RaftSettings {
    private static final int ENVELOPE_BYTES = 1024 * 1024;
    private static final int MAX_COMMAND_BYTES = ManifestRules.MAX_MANIFEST_BYTES + ENVELOPE_BYTES;
    private static final int SEGMENT_BYTES = 32 * 1024 * 1024;
    private static final int QUEUE_BYTES = 64 * 1024 * 1024;

    /** Log entries, of which about every second is a command, between two snapshots. */
    static final int SNAPSHOT_EVERY_ENTRIES = 1024;

    private static final int SNAPSHOTS_KEPT = 2;

    /** The shortest silence of a leader after which another is elected; the longest is twice it. */
    private static final int ELECTION_LEAST_MILLIS = 500;

    private static final int SLOWNESS_MINUTES = 10;

    private RaftSettings() {}

    static RaftProperties of(RaftNode node, File directory) {
        RaftProperties p = new RaftProperties();
        RaftServerConfigKeys.setStorageDir(p, List.of(directory));
        RaftServerConfigKeys.setSleepDeviationThreshold(p, TimeDuration.valueOf(1, TimeUnit.DAYS));
        RaftServerConfigKeys.setCloseThreshold(p, TimeDuration.valueOf(1, TimeUnit.DAYS));
        GrpcConfigKeys.Server.setHost(p, node.self().host());
        GrpcConfigKeys.Server.setPort(p, node.self().port());
        GrpcConfigKeys.setMessageSizeMax(p, size(2 * MAX_COMMAND_BYTES));
        elections(p, node.alone());
        log(p);
        snapshots(p);
        RaftServerConfigKeys.Read.setOption(p, RaftServerConfigKeys.Read.Option.LINEARIZABLE);
        RaftServerConfigKeys.Read.setLeaderLeaseEnabled(p, false);
        RaftClientConfigKeys.Rpc.setRequestTimeout(p, millis(3000));
        return p;
    }

    /**
     * A leader is missed after 0.5 to 1 s of silence, of which it is heard every 0.25 s: short
     * enough for a new one within 2 s, long enough for links between cities and a pause for garbage
     * collection. All members go by the same numbers, also one that is alone as yet; that one only
     * has nobody to wait for when it starts.
     */
    private static void elections(RaftProperties p, boolean alone) {
        RaftServerConfigKeys.Rpc.setTimeoutMin(p, millis(ELECTION_LEAST_MILLIS));
        RaftServerConfigKeys.Rpc.setTimeoutMax(p, millis(2 * ELECTION_LEAST_MILLIS));
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(p, millis(alone ? 10 : 300));
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(p, millis(alone ? 30 : 900));
        RaftServerConfigKeys.Rpc.setRequestTimeout(p, millis(3000));
        RaftServerConfigKeys.Rpc.setSlownessTimeout(
                p, TimeDuration.valueOf(SLOWNESS_MINUTES, TimeUnit.MINUTES));
        RaftServerConfigKeys.LeaderElection.setLeaderStepDownWaitTime(
                p, TimeDuration.valueOf(10, TimeUnit.SECONDS));
    }

    private static void log(RaftProperties p) {
        RaftServerConfigKeys.Log.setSegmentSizeMax(p, size(SEGMENT_BYTES));
        RaftServerConfigKeys.Log.setPreallocatedSize(p, size(ENVELOPE_BYTES));
        RaftServerConfigKeys.Log.setWriteBufferSize(p, size(MAX_COMMAND_BYTES + ENVELOPE_BYTES));
        RaftServerConfigKeys.Log.setQueueByteLimit(p, size(QUEUE_BYTES));
        RaftServerConfigKeys.Log.Appender.setBufferByteLimit(p, size(MAX_COMMAND_BYTES));
        RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(p, true);
        RaftServerConfigKeys.Write.setByteLimit(p, size(QUEUE_BYTES));
    }

    private static void snapshots(RaftProperties p) {
        RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(p, true);
        RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(p, SNAPSHOT_EVERY_ENTRIES);
        RaftServerConfigKeys.Snapshot.setRetentionFileNum(p, SNAPSHOTS_KEPT);
    }

    private static SizeInBytes size(int bytes) {
        return SizeInBytes.valueOf(bytes);
    }

    static TimeDuration millis(long millis) {
        return TimeDuration.valueOf(millis, TimeUnit.MILLISECONDS);
    }
}
