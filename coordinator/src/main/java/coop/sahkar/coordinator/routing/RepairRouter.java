package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Finds the next route of a session that has lost a part of its route. Pure.
 *
 * <p>Goals, in this order: the surviving stages stay, since they hold the session's positions;
 * where what is lost cannot be replaced alone, because the pool is cut otherwise by now, as many of
 * them as the cheapest route will have; the head, which drives the session, goes last, and only
 * where that is allowed.
 */
final class RepairRouter {
    private RepairRouter() {}

    /**
     * The next route.
     *
     * @param surviving stages of the present route that are still good, in order
     * @param offers what workers offer, lost ones left out
     * @param keepHead whether a surviving head must stay
     * @param terms above all the room that a stage must have which is new to the session
     * @return its stages in order; empty when there is none
     */
    static Optional<List<StageOffer>> route(
            int blockCount,
            List<RouteStage> surviving,
            List<StageOffer> offers,
            boolean keepHead,
            RouteTerms terms,
            Distances distances) {
        List<StageOffer> kept = surviving.stream().map(RepairRouter::kept).toList();
        Set<String> keeping =
                surviving.stream().map(RouteStage::workerId).collect(Collectors.toSet());
        List<StageOffer> exact = new ArrayList<>(kept);
        offers.stream()
                .filter(offer -> !keeping.contains(offer.workerId()))
                .filter(offer -> surviving.stream().noneMatch(s -> overlap(s.span(), offer.span())))
                .forEach(exact::add);
        Optional<List<StageOffer>> replaced =
                Router.route(blockCount, exact, terms, distances).map(Router.Route::stages);
        boolean headKept = kept.stream().anyMatch(stage -> stage.span().isHead());
        return replaced.or(() -> recut(blockCount, kept, offers, headKept, terms, distances))
                .or(() ->
                        headKept && !keepHead
                                ? recut(blockCount, kept, offers, false, terms, distances)
                                : Optional.empty());
    }

    private static Optional<List<StageOffer>> recut(
            int blockCount,
            List<StageOffer> kept,
            List<StageOffer> offers,
            boolean headKept,
            RouteTerms terms,
            Distances distances) {
        List<StageOffer> all = new ArrayList<>(kept);
        offers.stream()
                .filter(offer -> !(headKept && offer.span().isHead()))
                .filter(offer -> kept.stream().noneMatch(stage -> same(stage, offer)))
                .forEach(all::add);
        return Router.route(blockCount, all, terms, distances).map(Router.Route::stages);
    }

    /** A surviving stage has reserved its room, and costs nothing new. */
    private static StageOffer kept(RouteStage stage) {
        return new StageOffer(
                stage.workerId(), stage.endpoint(), stage.span(), 0, 0, StageOffer.UNKNOWN, 0, 0);
    }

    private static boolean same(StageOffer one, StageOffer other) {
        return one.workerId().equals(other.workerId()) && one.span().equals(other.span());
    }

    private static boolean overlap(Span one, Span other) {
        return one.first() < other.end() && other.first() < one.end();
    }
}
