package coop.sahkar.coordinator.routing;

import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.LatencyTable;
import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Reach;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.PoolView;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Repairs routes from what is replicated and what workers report, and has them signed. */
public final class PoolRepairs implements RepairDesk {
    private static final int RETRY_MILLIS = 1000;

    private final PoolView pool;
    private final Attendance attendance;
    private final LatencyTable latencies;
    private final RecentLosses losses;
    private final Function<String, String> shortfalls;
    private final TicketSeal seal;
    private final LongSupplier unixMillis;

    /**
     * @param losses whom heads lost lately
     * @param shortfalls why a model, by id, cannot be placed whole; empty when it can
     * @param unixMillis the time that tickets expire by
     */
    public PoolRepairs(
            PoolView pool,
            Attendance attendance,
            LatencyTable latencies,
            RecentLosses losses,
            Function<String, String> shortfalls,
            TicketSeal seal,
            LongSupplier unixMillis) {
        this.pool = pool;
        this.attendance = attendance;
        this.latencies = latencies;
        this.losses = losses;
        this.shortfalls = shortfalls;
        this.seal = seal;
        this.unixMillis = unixMillis;
    }

    @Override
    public RouteAnswer repair(RepairWish wish) {
        PoolState state = pool.state();
        Ticket current = wish.current();
        ModelRecord model = state.models().get(current.modelId());
        if (model == null) {
            return new RouteAnswer.None(
                    Problem.of(
                            Problem.Kind.MODEL_NOT_FOUND,
                            "The model %s is not published any more."
                                    .formatted(current.modelId())));
        }
        wish.lost().forEach(id -> losses.lost(current, id, attendance.clockMillis()));
        List<RouteStage> surviving = surviving(state, current, wish.lost());
        SortedMap<String, WorkerPresence> holders = attendance.holders(model.id());
        List<StageOffer> all = Offers.of(state, model, holders);
        List<StageOffer> offers = without(all, wish.lost());
        List<StageOffer> staying = Offers.staying(offers, holders);
        Optional<List<StageOffer>> route =
                route(wish, surviving, staying).or(() -> route(wish, surviving, offers));
        if (route.isPresent()) {
            return new RouteAnswer.Found(sign(state, current, route.get(), wish.epoch()));
        }
        return new RouteAnswer.None(
                none(model, surviving, offers), prospect(state, wish, surviving, all));
    }

    private List<RouteStage> surviving(PoolState state, Ticket current, Set<String> without) {
        return current.stages().stream()
                .filter(stage -> !without.contains(stage.workerId()))
                .filter(stage -> holds(attendance.of(stage.workerId()), current, stage))
                .map(stage -> where(state, attendance.of(stage.workerId()), stage))
                .toList();
    }

    private static List<StageOffer> without(List<StageOffer> offers, Set<String> workers) {
        return offers.stream().filter(offer -> !workers.contains(offer.workerId())).toList();
    }

    private Prospect prospect(
            PoolState state, RepairWish wish, List<RouteStage> surviving, List<StageOffer> all) {
        if (wish.head() == RepairWish.Head.STAYS) {
            if (route(wish, surviving, without(all, wish.lost()), false).isPresent()) {
                return Prospect.ANOTHER_HEAD;
            }
        } else if (acquitted(state, wish, all)) {
            return Prospect.HEALING;
        }
        return healing(state, wish.current().modelId());
    }

    /**
     * Whether a route leads through workers that count as lost but report as ever: where much
     * happens at once the wrong one is blamed. They count as lost for a while only.
     */
    private boolean acquitted(PoolState state, RepairWish wish, List<StageOffer> all) {
        Set<String> away =
                wish.lost().stream()
                        .filter(id -> attendance.of(id).standing() != Standing.HERE)
                        .collect(Collectors.toSet());
        return route(wish, surviving(state, wish.current(), away), without(all, away), false)
                .isPresent();
    }

    private Optional<List<StageOffer>> route(
            RepairWish wish, List<RouteStage> surviving, List<StageOffer> offers) {
        return switch (wish.head()) {
            case STAYS -> route(wish, surviving, offers, true);
            case MAY_GO -> route(wish, surviving, offers, false);
            case SHOULD_GO ->
                    withoutHead(wish, surviving, offers)
                            .or(() -> route(wish, surviving, offers, false));
        };
    }

    private Optional<List<StageOffer>> withoutHead(
            RepairWish wish, List<RouteStage> surviving, List<StageOffer> offers) {
        String head = wish.current().head().workerId();
        return route(
                wish,
                surviving.stream().filter(stage -> !stage.workerId().equals(head)).toList(),
                without(offers, Set.of(head)),
                false);
    }

    private Optional<List<StageOffer>> route(
            RepairWish wish,
            List<RouteStage> surviving,
            List<StageOffer> offers,
            boolean keepHead) {
        Ticket current = wish.current();
        long seed = current.session().low() + wish.epoch();
        RouteTerms terms = RouteTerms.of(current.maxPositions(), Set.of(), 0, seed);
        long now = attendance.clockMillis();
        Distances distances = losses.over(new MeasuredDistances(latencies, now), now);
        return RepairRouter.route(
                current.blockCount(), surviving, offers, keepHead, terms, distances);
    }

    private Prospect healing(PoolState state, String modelId) {
        boolean underway =
                Healing.underway(
                        state,
                        modelId,
                        attendance::of,
                        shortfalls.apply(modelId),
                        attendance.clockMillis());
        return underway ? Prospect.HEALING : Prospect.NONE;
    }

    /**
     * Whether a worker is likely to hold its part of a session still. What this coordinator has not
     * heard of yet, because it has just started, the head knows better.
     */
    private static boolean holds(WorkerPresence worker, Ticket current, RouteStage stage) {
        return switch (worker.standing()) {
            case HERE, LEAVING ->
                    worker.shards().stream().anyMatch(shard -> is(shard, current, stage));
            case AWAITED -> true;
            case BROKEN_OFF, GONE -> false;
        };
    }

    private static boolean is(ShardStatus shard, Ticket current, RouteStage stage) {
        return shard.modelId().equals(current.modelId())
                && shard.span().equals(stage.span())
                && (shard.serving() || shard.phase() == ShardStatus.Phase.DRAINING);
    }

    /** A worker that came back may be reached elsewhere. */
    private static RouteStage where(PoolState state, WorkerPresence presence, RouteStage stage) {
        WorkerRecord worker = state.workers().get(stage.workerId());
        if (presence.reach() == Reach.RELAYED) {
            return new RouteStage(stage.workerId(), presence.relayEndpoint(), stage.span());
        }
        return worker == null
                ? stage
                : new RouteStage(stage.workerId(), worker.endpoint(), stage.span());
    }

    private DrawnRoute sign(PoolState state, Ticket current, List<StageOffer> route, int epoch) {
        List<RouteStage> stages =
                route.stream()
                        .map(o -> new RouteStage(o.workerId(), o.endpoint(), o.span()))
                        .toList();
        Ticket next =
                new Ticket(
                        current.session(),
                        epoch,
                        current.modelId(),
                        current.blockCount(),
                        stages,
                        current.account(),
                        current.maxPositions(),
                        unixMillis.getAsLong() + state.policy().ticketLifetimeMillis(),
                        state.placement().generation());
        attendance.leases().rerouted(current, next, attendance.clockMillis());
        return new DrawnRoute(seal.seal(next));
    }

    private static Problem none(
            ModelRecord model, List<RouteStage> surviving, List<StageOffer> offers) {
        List<Span> served =
                Stream.concat(
                                surviving.stream().map(RouteStage::span),
                                offers.stream().map(StageOffer::span))
                        .toList();
        List<Span> missing = Coverage.missing(model.manifest().blockCount(), served);
        String name = model.manifest().name();
        return missing.isEmpty()
                ? new Problem(
                        Problem.Kind.OVERLOADED,
                        "The workers that are left for %s are full, or their parts do not fit together."
                                .formatted(name),
                        "",
                        RETRY_MILLIS)
                : new Problem(
                        Problem.Kind.MODEL_INCOMPLETE,
                        "No other worker serves %s of %s now."
                                .formatted(Coverage.inWords(missing), name),
                        "",
                        RETRY_MILLIS);
    }
}
