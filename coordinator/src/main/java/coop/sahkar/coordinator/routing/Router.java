package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.Limits;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Finds the cheapest chain of shards that covers a model exactly once with no worker twice. Pure.
 *
 * <p>A stage costs its compute time, more the more sessions share it, and a fixed price for the
 * hop; one that is reached through a relay more. It is a shortest path from block 0 to the last
 * over block boundaries; since no worker may stand twice, the few best ways to each boundary are
 * kept rather than only the best.
 */
public final class Router {
    /** What a hop costs, in microseconds: serialization, network, a batch's wait. */
    static final long HOP_MICROS = 500;

    /** What it costs besides that everything to a worker goes through a coordinator. */
    static final long RELAY_MICROS = 30_000;

    /** Ways kept to each boundary. */
    private static final int WAYS_KEPT = 8;

    /** So many sessions double the cost of a stage. */
    private static final int SESSIONS_TO_DOUBLE = 4;

    private Router() {}

    private record Way(long cost, List<StageOffer> stages) {
        boolean uses(String workerId) {
            return stages.stream().anyMatch(s -> s.workerId().equals(workerId));
        }

        Way and(StageOffer offer) {
            List<StageOffer> longer = new ArrayList<>(stages);
            longer.add(offer);
            return new Way(cost + price(offer), longer);
        }

        String names() {
            return String.join(" ", stages.stream().map(StageOffer::workerId).toList());
        }
    }

    /**
     * The best route.
     *
     * @param positions KV positions every stage must have room for
     * @return its stages in order; empty when there is none
     */
    public static Optional<List<StageOffer>> route(
            int blockCount, List<StageOffer> offers, int positions) {
        SortedMap<Integer, List<Way>> ways = new TreeMap<>();
        ways.put(0, List.of(new Way(0, List.of())));
        for (int block = 0; block < blockCount; block++) {
            for (Way way : ways.getOrDefault(block, List.of())) {
                extend(ways, way, block, offers, positions);
            }
        }
        return ways.getOrDefault(blockCount, List.of()).stream().findFirst().map(Way::stages);
    }

    private static void extend(
            SortedMap<Integer, List<Way>> ways,
            Way way,
            int block,
            List<StageOffer> offers,
            int positions) {
        for (StageOffer offer : offers) {
            boolean fits =
                    offer.span().first() == block
                            && offer.hasRoom(positions)
                            && way.stages().size() < Limits.MAX_STAGES
                            && !way.uses(offer.workerId());
            if (fits) {
                ways.merge(offer.span().end(), List.of(way.and(offer)), Router::best);
            }
        }
    }

    private static List<Way> best(List<Way> some, List<Way> more) {
        List<Way> all = new ArrayList<>(some);
        all.addAll(more);
        all.sort(Comparator.comparingLong(Way::cost).thenComparing(Way::names));
        return List.copyOf(all.subList(0, Math.min(WAYS_KEPT, all.size())));
    }

    private static long price(StageOffer offer) {
        long shared =
                offer.computeMicros()
                        * (SESSIONS_TO_DOUBLE + offer.sessions())
                        / SESSIONS_TO_DOUBLE;
        return HOP_MICROS + (offer.relayed() ? RELAY_MICROS : 0) + shared;
    }
}
