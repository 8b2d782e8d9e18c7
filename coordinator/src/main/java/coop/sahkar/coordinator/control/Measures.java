package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.liveness.LatencyTable;
import coop.sahkar.coordinator.routing.MeasurePlan;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.MeasurePeers;
import coop.sahkar.proto.v1.PeerEndpoint;
import coop.sahkar.proto.v1.PeerLatencies;
import coop.sahkar.proto.v1.PeerLatency;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** What workers are asked to measure, and what they say of it, in words of the wire. */
final class Measures {
    private Measures() {}

    static MeasurePeers of(PoolState state, List<String> peers) {
        MeasurePeers.Builder measure =
                MeasurePeers.newBuilder().setIntervalMillis(MeasurePlan.INTERVAL_MILLIS);
        for (String id : peers) {
            WorkerRecord peer = state.workers().get(id);
            if (peer != null) {
                measure.addPeers(
                        PeerEndpoint.newBuilder().setWorkerId(id).setEndpoint(peer.endpoint()));
            }
        }
        return measure.build();
    }

    /**
     * @throws IllegalArgumentException in a sentence, if it breaks a bound
     */
    static SortedMap<String, Integer> read(PeerLatencies latencies) {
        if (latencies.getPeersCount() > Limits.MAX_MEASURED_PEERS) {
            throw new IllegalArgumentException(
                    "a worker lists latencies to %d peers; at most %d are taken"
                            .formatted(latencies.getPeersCount(), Limits.MAX_MEASURED_PEERS));
        }
        SortedMap<String, Integer> micros = new TreeMap<>();
        for (PeerLatency peer : latencies.getPeersList()) {
            if (peer.getWorkerId().length() > Limits.MAX_WORKER_ID) {
                throw new IllegalArgumentException(
                        "a worker lists a latency to a worker whose name is longer than any");
            }
            int way = peer.getMicros();
            micros.put(peer.getWorkerId(), way < 0 ? Integer.MAX_VALUE : way);
        }
        return micros;
    }

    static List<PeerLatency> write(SortedMap<String, Integer> micros) {
        return micros.entrySet().stream()
                .map(way ->
                        PeerLatency.newBuilder()
                                .setWorkerId(way.getKey())
                                .setMicros(way.getValue())
                                .build())
                .toList();
    }

    /** What is known of one worker's ways, for the status. */
    static List<PeerLatency> of(LatencyTable latencies, String workerId, long nowMillis) {
        return write(latencies.of(workerId, nowMillis));
    }
}
