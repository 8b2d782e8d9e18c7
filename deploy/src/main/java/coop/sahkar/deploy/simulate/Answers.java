package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.coordinator.routing.RouteWish;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Everything that is asked, and the answers that are under way. */
final class Answers {
    /** How long workers keep a session for its next turn; some come later. */
    static final int REST_MILLIS = 20_000;

    private static final long THINKS_MILLIS = 30_000;
    private static final double GOES_ON = 0.4;
    private static final int MOST_CHAT_POSITIONS = 2000;

    private final World world;
    private final Chance chance;
    private final Map<SessionId, Answer> running = new LinkedHashMap<>();

    Answers(World world, Chance chance) {
        this.world = world;
        this.chance = chance;
    }

    Collection<Answer> running() {
        return Collections.unmodifiableCollection(running.values());
    }

    /** Somebody asks something. */
    void ask(String modelId) {
        ask(modelId, (int) chance.spread(10, 1500), (int) chance.spread(5, 150), false);
    }

    /** Somebody asks a little, and nothing may stand in the way of the answer. */
    void demand(String modelId) {
        ask(modelId, 20, 10, true);
    }

    private void ask(String modelId, int prompt, int answer, boolean must) {
        int blocks = world.footprint(modelId).blockCount();
        Question question = Question.draw(modelId, blocks, prompt, answer, must, chance);
        RouteWish wish = RouteWish.fresh(modelId, question.positions());
        ask(question, world.anyCoordinator(chance), wish);
    }

    private void ask(Question question, @Nullable VirtualCoordinator gateway, RouteWish wish) {
        world.tally().asked(question.expected().size());
        if (gateway == null) {
            refused(question, Problem.of(Problem.Kind.NOT_LEADER, "No coordinator is up."));
            return;
        }
        switch (gateway.desk().draw(wish)) {
            case RouteAnswer.None(Problem problem, var _) -> refused(question, problem);
            case RouteAnswer.Found(var route) -> begin(gateway, question, route.ticket());
        }
    }

    private void begin(VirtualCoordinator gateway, Question question, SealedTicket ticket) {
        Answer answer = new Answer(world, gateway, question, ticket);
        if (running.put(answer.id(), answer) != null) {
            throw new Violation("two answers are called " + answer.id());
        }
        answer.begin(ticket);
    }

    private void refused(Question question, Problem problem) {
        world.tally().refused(problem.kind());
        if (question.mustSucceed()) {
            throw new Violation(
                    "the world has healed, and a question is refused: " + problem.message());
        }
    }

    /** An answer is complete, and its session rests along {@code route}: the chat may go on. */
    void finished(Answer answer, Ticket route) {
        Question said = answer.question();
        boolean goesOn = said.positions() < MOST_CHAT_POSITIONS && chance.happens(GOES_ON);
        if (goesOn && !said.mustSucceed()) {
            long thinks = chance.spread(100, THINKS_MILLIS);
            int boot = answer.gateway().boot();
            world.agenda().after(thinks, () -> goOn(said, answer.gateway(), boot, route));
        }
    }

    /** Whoever answered knows where the session rests, unless it was restarted since. */
    private void goOn(Question said, VirtualCoordinator gateway, int boot, Ticket rested) {
        if (!world.asks()) {
            return;
        }
        int blocks = world.footprint(said.modelId()).blockCount();
        Question next =
                said.next(blocks, (int) chance.spread(1, 200), (int) chance.spread(5, 100), chance);
        RouteWish fresh = RouteWish.fresh(said.modelId(), next.positions());
        world.tally().turn();
        if (!gateway.up() || gateway.boot() != boot) {
            ask(next, world.anyCoordinator(chance), fresh);
            return;
        }
        List<String> workers = rested.stages().stream().map(RouteStage::workerId).toList();
        ask(next, gateway, fresh.goingOnIn(rested.session(), rested.epoch(), workers));
    }

    void ended(Answer answer) {
        running.remove(answer.id());
    }

    /** A worker died; its heads' callers notice, if their connections are closed. */
    void workerDied(VirtualWorker worker, boolean closing) {
        long noticed = chance.between(1, 100);
        List.copyOf(running.values()).forEach(a -> a.workerDied(worker, closing, noticed));
    }

    /** A coordinator died, and with it the answers that ran through it. */
    void gatewayDied(VirtualCoordinator gateway) {
        List.copyOf(running.values()).stream()
                .filter(answer -> answer.gateway() == gateway)
                .forEach(Answer::gatewayDied);
    }

    /** Some answer that is under way; null when there is none. */
    @Nullable Answer any(Chance which) {
        return running.isEmpty() ? null : which.pick(List.copyOf(running.values()));
    }
}
