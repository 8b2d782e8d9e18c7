package coop.sahkar.coordinator.routing;

import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.PoolView;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Draws routes from what is replicated and what workers report, and has them signed. */
public final class PoolDesk implements RouteDesk {
    private static final int RETRY_MILLIS = 1000;

    private final PoolView pool;
    private final Attendance attendance;
    private final Function<String, String> shortfalls;
    private final TicketSeal seal;
    private final Supplier<SessionId> sessions;
    private final LongSupplier unixMillis;

    /**
     * @param shortfalls why a model, by id, cannot be placed whole; empty when it can
     * @param sessions draws ids of new sessions
     * @param unixMillis the time that tickets expire by
     */
    public PoolDesk(
            PoolView pool,
            Attendance attendance,
            Function<String, String> shortfalls,
            TicketSeal seal,
            Supplier<SessionId> sessions,
            LongSupplier unixMillis) {
        this.pool = pool;
        this.attendance = attendance;
        this.shortfalls = shortfalls;
        this.seal = seal;
        this.sessions = sessions;
        this.unixMillis = unixMillis;
    }

    @Override
    public RouteAnswer draw(
            String model,
            int positions,
            Set<String> avoid,
            @Nullable SessionId session,
            int epoch) {
        PoolState state = pool.state();
        List<ModelRecord> found = state.modelsNamed(model);
        if (found.size() != 1) {
            return new RouteAnswer.None(noSuchModel(model, found, state));
        }
        ModelRecord record = found.getFirst();
        int limit = limit(state, record);
        if (positions > limit) {
            return new RouteAnswer.None(
                    tooLong(record, positions, "at most %d are allowed".formatted(limit)));
        }
        SortedMap<String, WorkerPresence> presence = attendance.now();
        List<StageOffer> offers =
                Offers.of(state, record, presence).stream()
                        .filter(o -> !avoid.contains(o.workerId()))
                        .toList();
        int wanted = positions > 0 ? positions : Math.min(limit, leastKvCells(offers, limit));
        int blocks = record.manifest().blockCount();
        Optional<List<StageOffer>> route = Router.route(blocks, offers, wanted);
        if (route.isEmpty()) {
            return new RouteAnswer.None(whyNone(state, record, presence, offers, wanted));
        }
        SessionId id = session == null ? sessions.get() : session;
        return new RouteAnswer.Found(sign(state, record, route.get(), id, epoch + 1, wanted));
    }

    @Override
    public boolean gone(String workerId) {
        WorkerPresence presence = attendance.now().get(workerId);
        return presence == null || !presence.keepsItsPlace();
    }

    @Override
    public void release(Ticket ticket) {
        ticket.stages()
                .forEach(stage -> attendance.leases().released(stage.workerId(), ticket.session()));
    }

    private DrawnRoute sign(
            PoolState state,
            ModelRecord model,
            List<StageOffer> route,
            SessionId session,
            int epoch,
            int positions) {
        List<RouteStage> stages =
                route.stream()
                        .map(o -> new RouteStage(o.workerId(), o.endpoint(), o.span()))
                        .toList();
        Ticket ticket =
                new Ticket(
                        session,
                        epoch,
                        model.id(),
                        model.manifest().blockCount(),
                        stages,
                        "",
                        positions,
                        unixMillis.getAsLong() + state.policy().ticketLifetimeMillis(),
                        state.placement().generation());
        route.forEach(o -> attendance.leases().drawn(o.workerId(), session, positions));
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
            PoolState state,
            ModelRecord model,
            SortedMap<String, WorkerPresence> presence,
            List<StageOffer> offers,
            int positions) {
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
        Readiness readiness = Readiness.of(state, model, presence, shortfalls.apply(model.id()));
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
