package coop.sahkar.coordinator.routing;

import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.LatencyTable;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.PoolView;
import coop.sahkar.proto.PoolClock;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.function.Supplier;

/** Draws routes from what is replicated and what workers report, and has them signed. */
public final class PoolDesk implements RouteDesk {
    private static final int RETRY_MILLIS = 1000;

    private final PoolView pool;
    private final Attendance attendance;
    private final LatencyTable latencies;
    private final RecentLosses losses;
    private final Function<String, String> shortfalls;
    private final TicketSeal seal;
    private final CallerMarks marks;
    private final Supplier<SessionId> sessions;
    private final PoolClock clock;

    /**
     * @param latencies what workers measured
     * @param losses whom heads lost lately
     * @param shortfalls why a model, by id, cannot be placed whole; empty when it can
     * @param marks what tickets say of whom a session is for
     * @param sessions draws ids of new sessions
     * @param clock the time that tickets expire by
     */
    public PoolDesk(
            PoolView pool,
            Attendance attendance,
            LatencyTable latencies,
            RecentLosses losses,
            Function<String, String> shortfalls,
            TicketSeal seal,
            CallerMarks marks,
            Supplier<SessionId> sessions,
            PoolClock clock) {
        this.pool = pool;
        this.attendance = attendance;
        this.latencies = latencies;
        this.losses = losses;
        this.shortfalls = shortfalls;
        this.seal = seal;
        this.marks = marks;
        this.sessions = sessions;
        this.clock = clock;
    }

    @Override
    public RouteAnswer draw(RouteWish wish) {
        PoolState state = pool.state();
        List<ModelRecord> found = state.modelsNamed(wish.model());
        if (found.size() != 1) {
            return new RouteAnswer.None(noSuchModel(wish.model(), found, state));
        }
        ModelRecord model = found.getFirst();
        if (model.gone(clock.earliestUnixMillis())) {
            return new RouteAnswer.None(withdrawn(model));
        }
        int limit = limit(state, model);
        if (wish.positions() > limit) {
            return new RouteAnswer.None(
                    tooLong(model, wish.positions(), "at most %d are allowed".formatted(limit)));
        }
        SortedMap<String, WorkerPresence> holders = attendance.holders(model.id());
        List<StageOffer> offers = offers(state, model, holders, wish);
        int wanted =
                wish.positions() > 0
                        ? wish.positions()
                        : Math.min(limit, leastKvCells(offers, limit));
        SessionId id = wish.session() == null ? sessions.get() : wish.session();
        RouteTerms terms =
                RouteTerms.of(wanted, wish.prefer(), RouteWish.KEPT_STAGE_MICROS, id.low());
        long now = attendance.clockMillis();
        Distances distances = losses.over(new MeasuredDistances(latencies, now), now);
        int blocks = model.manifest().blockCount();
        Optional<Router.Route> route =
                Router.route(blocks, Offers.staying(offers, holders), terms, distances)
                        .or(() -> Router.route(blocks, offers, terms, distances));
        if (route.isEmpty()) {
            return new RouteAnswer.None(whyNone(state, model, offers, wanted));
        }
        List<StageOffer> stages = route.get().stages();
        return new RouteAnswer.Found(sign(state, model, stages, id, wish, wanted));
    }

    private List<StageOffer> offers(
            PoolState state,
            ModelRecord model,
            SortedMap<String, WorkerPresence> holders,
            RouteWish wish) {
        SessionId session = wish.session();
        return Offers.of(state, model, holders).stream()
                .filter(o -> !wish.avoid().contains(o.workerId()))
                .map(o ->
                        session == null
                                ? o
                                : o.toHolder(attendance.leases().held(o.workerId(), session)))
                .toList();
    }

    @Override
    public boolean gone(String workerId) {
        return !pool.state().workers().containsKey(workerId)
                || attendance.of(workerId).standing() == Standing.GONE;
    }

    @Override
    public void release(Ticket ticket) {
        attendance.leases().released(ticket);
    }

    private DrawnRoute sign(
            PoolState state,
            ModelRecord model,
            List<StageOffer> route,
            SessionId session,
            RouteWish wish,
            int positions) {
        List<RouteStage> stages =
                route.stream()
                        .map(o -> new RouteStage(o.workerId(), o.endpoint(), o.span()))
                        .toList();
        Ticket ticket =
                new Ticket(
                        session,
                        wish.epoch() + 1,
                        model.id(),
                        model.manifest().blockCount(),
                        stages,
                        marks.of(session, wish.account()),
                        positions,
                        clock.latestUnixMillis() + state.policy().ticketLifetimeMillis(),
                        state.placement().generation());
        attendance.leases().drawn(ticket, attendance.clockMillis());
        return new DrawnRoute(seal.seal(ticket));
    }

    private static int limit(PoolState state, ModelRecord model) {
        return Math.min(state.policy().maxSessionPositions(), model.manifest().contextLength());
    }

    private static int leastKvCells(List<StageOffer> offers, int otherwise) {
        return offers.stream()
                .mapToInt(StageOffer::kvCells)
                .filter(cells -> cells > 0)
                .min()
                .orElse(otherwise);
    }

    private Problem whyNone(
            PoolState state, ModelRecord model, List<StageOffer> offers, int positions) {
        int blocks = model.manifest().blockCount();
        List<StageOffer> empty = offers.stream().map(StageOffer::empty).toList();
        if (Router.route(blocks, empty, positions).isPresent()) {
            return new Problem(
                    Problem.Kind.OVERLOADED,
                    "Every worker chain of %s is full now; try again in a moment."
                            .formatted(model.manifest().name()),
                    "",
                    RETRY_MILLIS);
        }
        if (Router.route(blocks, offers, 0).isPresent()) {
            return tooLong(model, positions, "the workers' KV caches are smaller");
        }
        Readiness readiness =
                Readiness.of(
                        state, model, attendance.holders(model.id()), shortfalls.apply(model.id()));
        String words =
                readiness.ready()
                        ? "No chain of workers is left for %s once the failed ones are left out."
                                .formatted(model.manifest().name())
                        : readiness.explanation();
        return new Problem(Problem.Kind.MODEL_INCOMPLETE, words, "", RETRY_MILLIS);
    }

    private static Problem tooLong(ModelRecord model, int positions, String bound) {
        return Problem.of(
                Problem.Kind.CONTEXT_LENGTH_EXCEEDED,
                ("Prompt and answer may take %d tokens with %s, but %s. Shorten the prompt "
                                + "or ask for a shorter answer.")
                        .formatted(positions, model.manifest().name(), bound));
    }

    private static Problem withdrawn(ModelRecord model) {
        return new Problem(
                Problem.Kind.MODEL_NOT_FOUND,
                "Model %s was withdrawn on %s, as had been announced; GET /v1/models lists others."
                        .formatted(
                                model.manifest().name(),
                                Instant.ofEpochMilli(model.goneAtMillis())),
                "model",
                0);
    }

    private static Problem noSuchModel(String model, List<ModelRecord> found, PoolState state) {
        String shown = model.substring(0, Math.min(120, model.length()));
        if (found.size() > 1) {
            return Problem.inField(
                    "model",
                    "Several models are called %s; use one of the ids: %s"
                            .formatted(
                                    shown,
                                    String.join(
                                            ", ", found.stream().map(ModelRecord::id).toList())));
        }
        List<String> names =
                state.models().values().stream().map(m -> m.manifest().name()).distinct().toList();
        String there =
                names.isEmpty()
                        ? "none is published yet"
                        : "there are: " + String.join(", ", names);
        return new Problem(
                Problem.Kind.MODEL_NOT_FOUND,
                "No model \"%s\" is published; %s".formatted(shown, there),
                "model",
                0);
    }
}
