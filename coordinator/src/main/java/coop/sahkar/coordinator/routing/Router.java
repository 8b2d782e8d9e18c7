package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Finds the chain of shards that covers a model exactly once, with no worker twice, on which a
 * token goes round fastest: the prices of its stages, the ways between them, and the way back from
 * the tail to the head. Pure.
 *
 * <p>It is a shortest path over (worker, block). Where there are many replicas of a span, only the
 * cheapest few are looked at, so that the work does not grow with the square of the replicas.
 */
public final class Router {
    /** Replicas of one span that are looked at. */
    static final int REPLICAS = 16;

    /** Heads that are looked at. */
    private static final int HEADS = 64;

    private Router() {}

    /**
     * A route.
     *
     * @param stages in order
     * @param micros what a token's trip round it costs
     */
    public record Route(List<StageOffer> stages, long micros) {
        public Route {
            stages = List.copyOf(stages);
        }
    }

    /**
     * Any route with room, by prices alone.
     *
     * @param positions KV positions every stage must have room for
     * @return its stages in order; empty when there is none
     */
    public static Optional<List<StageOffer>> route(
            int blockCount, List<StageOffer> offers, int positions) {
        return route(blockCount, offers, RouteTerms.room(positions), Distances.NONE)
                .map(Route::stages);
    }

    /**
     * The best route.
     *
     * @return empty when there is none with room
     */
    public static Optional<Route> route(
            int blockCount, List<StageOffer> offers, RouteTerms terms, Distances distances) {
        List<StageNode> nodes = nodes(blockCount, offers, terms);
        RouteGraph graph = new RouteGraph(blockCount, nodes, distances);
        return nodes.stream()
                .filter(node -> node.offer().span().first() == 0)
                .sorted(StageNode.CHEAPEST)
                .limit(HEADS)
                .map(graph::bestFrom)
                .flatMap(Optional::stream)
                .min(
                        Comparator.comparingLong(RouteGraph.Way::micros)
                                .thenComparing(RouteGraph.Way::names))
                .map(way -> new Route(way.stages(), way.micros()));
    }

    /** The offers that may be stages, cheapest of each span, by their first block. */
    private static List<StageNode> nodes(
            int blockCount, List<StageOffer> offers, RouteTerms terms) {
        SortedMap<Span, List<StageNode>> bySpan =
                new TreeMap<>(Comparator.comparingInt(Span::first).thenComparingInt(Span::end));
        for (StageOffer offer : offers) {
            if (offer.hasRoom(terms.positions()) && offer.span().end() <= blockCount) {
                bySpan.computeIfAbsent(offer.span(), _ -> new ArrayList<>())
                        .add(new StageNode(offer, StagePrice.micros(offer, terms)));
            }
        }
        return bySpan.values().stream()
                .flatMap(replicas -> replicas.stream().sorted(StageNode.CHEAPEST).limit(REPLICAS))
                .toList();
    }
}
