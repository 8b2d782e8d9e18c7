package coop.sahkar.worker.peers;

import coop.sahkar.proto.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which peers to measure for whom, and what was measured. Pure; owned by one thread.
 *
 * <p>A measurement is half a round trip, smoothed: a shorter way is believed quickly, since nothing
 * but the way itself can make a trip short, a longer one slowly. A peer that does not answer three
 * times in a row cannot be reached.
 */
final class PeerBook {
    /** What is said of a peer that cannot be reached. */
    static final int UNREACHABLE = 0;

    /** Peers measured in all, for however many coordinators. */
    static final int MAX_PEERS = 2 * Limits.MAX_MEASURED_PEERS;

    private static final int FAILURES_TO_GIVE_UP = 3;
    private static final int QUICK = 2;
    private static final int SLOW = 4;

    private final SortedMap<String, List<PeerAddress>> wishes = new TreeMap<>();
    private final SortedMap<String, Measured> measured = new TreeMap<>();

    private static final class Measured {
        final String endpoint;
        long micros;
        int failures;

        Measured(String endpoint) {
            this.endpoint = endpoint;
        }
    }

    /** A coordinator says which peers it wants measured; it replaces what it said before. */
    void wanted(String coordinator, List<PeerAddress> peers) {
        wishes.put(coordinator, List.copyOf(peers));
        SortedMap<String, String> now = new TreeMap<>();
        all().forEach(peer -> now.put(peer.workerId(), peer.endpoint()));
        measured.entrySet().removeIf(e -> !e.getValue().endpoint.equals(now.get(e.getKey())));
    }

    /** The peers to measure. */
    List<PeerAddress> all() {
        SortedMap<String, PeerAddress> all = new TreeMap<>();
        for (List<PeerAddress> wish : wishes.values()) {
            for (PeerAddress peer : wish) {
                if (all.size() < MAX_PEERS) {
                    all.putIfAbsent(peer.workerId(), peer);
                }
            }
        }
        return new ArrayList<>(all.values());
    }

    /**
     * A peer was measured.
     *
     * @param roundTripNanos empty when it did not answer
     */
    void measured(PeerAddress peer, OptionalLong roundTripNanos) {
        Measured known =
                measured.computeIfAbsent(peer.workerId(), _ -> new Measured(peer.endpoint()));
        if (roundTripNanos.isEmpty()) {
            known.failures++;
            return;
        }
        known.failures = 0;
        long micros = Math.max(1, roundTripNanos.getAsLong() / 2_000);
        if (known.micros == 0) {
            known.micros = micros;
        } else {
            known.micros += (micros - known.micros) / (micros < known.micros ? QUICK : SLOW);
        }
    }

    /** One way to each peer that a coordinator wants to know of, in microseconds by id. */
    SortedMap<String, Integer> latencies(String coordinator) {
        SortedMap<String, Integer> said = new TreeMap<>();
        for (PeerAddress peer : wishes.getOrDefault(coordinator, List.of())) {
            Measured known = measured.get(peer.workerId());
            if (known != null && known.failures >= FAILURES_TO_GIVE_UP) {
                said.put(peer.workerId(), UNREACHABLE);
            } else if (known != null && known.micros > 0) {
                said.put(peer.workerId(), (int) Math.min(Integer.MAX_VALUE, known.micros));
            }
        }
        return said;
    }

    /** What is known for each coordinator that asked, by its name. */
    Map<String, SortedMap<String, Integer>> latencies() {
        Map<String, SortedMap<String, Integer>> all = new TreeMap<>();
        wishes.keySet().forEach(coordinator -> all.put(coordinator, latencies(coordinator)));
        return all;
    }
}
