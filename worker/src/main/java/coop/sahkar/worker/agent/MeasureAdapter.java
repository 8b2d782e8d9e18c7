package coop.sahkar.worker.agent;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.MeasurePeers;
import coop.sahkar.proto.v1.PeerEndpoint;
import coop.sahkar.proto.v1.PeerLatencies;
import coop.sahkar.proto.v1.PeerLatency;
import coop.sahkar.worker.peers.PeerAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/** Lists of peers as they come over the wire, and what was measured, on its way back. */
final class MeasureAdapter {
    private MeasureAdapter() {}

    /** The peers to measure; those beyond a bound are left out. */
    static List<PeerAddress> read(MeasurePeers wire) {
        List<PeerAddress> peers = new ArrayList<>();
        for (PeerEndpoint peer : wire.getPeersList()) {
            boolean fits =
                    peers.size() < Limits.MAX_MEASURED_PEERS
                            && peer.getWorkerId().length() <= Limits.MAX_WORKER_ID
                            && peer.getEndpoint().length() <= Limits.MAX_ENDPOINT;
            if (fits) {
                peers.add(new PeerAddress(peer.getWorkerId(), peer.getEndpoint()));
            }
        }
        return peers;
    }

    static PeerLatencies write(SortedMap<String, Integer> micros) {
        PeerLatencies.Builder latencies = PeerLatencies.newBuilder();
        micros.forEach((peer, way) ->
                latencies.addPeers(PeerLatency.newBuilder().setWorkerId(peer).setMicros(way)));
        return latencies.build();
    }
}
