package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.gateway.HeadWatch;
import coop.sahkar.coordinator.gateway.Patience;
import coop.sahkar.coordinator.gateway.Problems;
import coop.sahkar.coordinator.gateway.ResumePlan;
import coop.sahkar.coordinator.routing.Prospect;
import coop.sahkar.coordinator.routing.RepairWish;
import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.coordinator.usage.UsageMeter;
import coop.sahkar.coordinator.usage.Use;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.TextAssembler;
import coop.sahkar.worker.simulate.LetterVocabulary;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One question and its answer, as the gateway that was asked sees it: the production rules of when
 * to look for another head, in virtual time. Whatever happens, each token must be the one that the
 * whole model gives, and come once.
 */
final class Answer {
    private static final long LOOK_MILLIS = 100;
    private static final long LEAVING_LOOK_MILLIS = 500;
    private static final int ASKERS = 20;

    private final World world;
    private final VirtualCoordinator gateway;
    private final Question question;
    private final Patience patience = Patience.DEFAULT;
    private final ResumePlan plan = new ResumePlan(patience);
    private final HeadWatch watching = new HeadWatch();
    private final SessionId id;
    private final UsageMeter meter;
    private long promptsCounted;
    private long tokensCounted;
    private @Nullable HeadLine head;
    private @Nullable HeadLine before;
    private boolean headLeaves;
    private long soughtMillis;
    private boolean over;
    private boolean disturbed;
    private boolean survived;
    private long heardMillis;
    private long tokenMillis;

    Answer(World world, VirtualCoordinator gateway, Question question, SealedTicket first) {
        this.world = world;
        this.gateway = gateway;
        this.question = question;
        this.id = first.ticket().session();
        this.meter =
                new UsageMeter(
                        "asker" + question.seed() % ASKERS, question.prompt().length, this::used);
        this.tokenMillis = world.nowMillis();
    }

    private void used(Use use) {
        promptsCounted += use.promptTokens();
        tokensCounted += use.answerTokens();
        gateway.books().record(use);
    }

    VirtualCoordinator gateway() {
        return gateway;
    }

    Question question() {
        return question;
    }

    SessionId id() {
        return id;
    }

    /** Begins. */
    void begin(SealedTicket first) {
        dial(first);
        look();
    }

    private void dial(SealedTicket sealed) {
        release();
        headLeaves = false;
        Ticket ticket = sealed.ticket();
        boolean again = plan.ticket() != null;
        disturbed |= again;
        survived |= again;
        plan.drawn(ticket);
        meter.route(ticket, true);
        trace((again ? "has another head: " : "begins along ") + route(ticket));
        heardMillis = world.nowMillis();
        watching.begun(heardMillis);
        VirtualWorker worker = world.worker(ticket.head().workerId());
        if (worker == null) {
            head = null;
            letGo();
            failed(Problems.lost("Worker " + ticket.head().workerId() + " is not found."), "");
            return;
        }
        HeadLine line = new HeadLine(this, worker, sealed, world);
        head = line;
        int[] committed = plan.committed().stream().mapToInt(Integer::intValue).toArray();
        line.run(
                new GenerationStart(
                        sealed,
                        sampling(question.seed()),
                        question.prompt(),
                        committed,
                        question.mostTokens(),
                        new TextAssembler(new LetterVocabulary(), List.of(), plan.deliveredBytes()),
                        line,
                        plan.turn(),
                        Answers.REST_MILLIS));
    }

    private static Sampling sampling(long seed) {
        return new Sampling(1, 0, 1, 0, 1, 1, 0, 0, -1, new TreeMap<>(), seed);
    }

    /** A head says that it has committed tokens: they must be the right ones. */
    void committedAtHead(String workerId, int position, int[] tokens) {
        int first = position - question.prompt().length;
        for (int i = 0; i < tokens.length; i++) {
            int at = first + i;
            boolean right =
                    at >= 0
                            && at < question.expected().size()
                            && question.expected().get(at) == tokens[i];
            if (!right) {
                world.broken(
                        "worker %s commits token %d of session %s as %d, where the model gives %s"
                                .formatted(
                                        workerId,
                                        at,
                                        id,
                                        tokens[i],
                                        at >= 0 && at < question.expected().size()
                                                ? question.expected().get(at)
                                                : "none"));
            }
        }
    }

    void received(HeadLine line, GenerationEvent event) {
        if (head != line || over) {
            return;
        }
        long now = world.nowMillis();
        watching.heard(now - heardMillis, now);
        heardMillis = now;
        if (!event.hasStarted()) {
            letGo();
        }
        if (event.hasFailed()) {
            head = null;
            headFailed(line, event);
        } else if (event.hasFinished()) {
            head = null;
            finished(event);
        } else {
            take(line, event);
        }
    }

    private void take(HeadLine line, GenerationEvent event) {
        if (event.hasRerouted()) {
            disturbed = true;
            survived = true;
        }
        if (plan.take(event) instanceof ResumePlan.Taken.Breach(String sentence)) {
            world.broken("session %s: worker %s %s".formatted(id, line.workerId(), sentence));
        }
        Ticket along = plan.ticket();
        if (event.hasRerouted() && along != null) {
            meter.route(along, true);
        }
        if (event.hasLeaving()) {
            headLeaves = true;
            moveOn(line);
        }
        if (event.hasDelta() && event.getDelta().getTokensCount() > 0) {
            meter.tokens(event.getDelta().getTokensCount(), world.nowMillis());
            world.tally().served(event.getDelta().getTokensCount());
            if (disturbed) {
                disturbed = false;
                world.tally().repaired(world.nowMillis() - tokenMillis);
            }
            tokenMillis = world.nowMillis();
        }
    }

    private void finished(GenerationEvent event) {
        if (!plan.committed().equals(question.expected())
                || plan.finish(event.getFinished()).getCompletionTokens()
                        != question.expected().size()) {
            world.broken(
                    "session %s ends with %d tokens where the model gives %d"
                            .formatted(id, plan.committed().size(), question.expected().size()));
        }
        meter.answered(world.nowMillis());
        world.tally().finished(survived);
        trace("is finished");
        Ticket route = plan.ticket();
        end();
        if (route != null) {
            world.answers().finished(this, route);
        }
    }

    private void headFailed(HeadLine line, GenerationEvent event) {
        String blamed = event.getFailed().getWorkerId();
        String worker = blamed.isEmpty() ? line.workerId() : blamed;
        Problem problem = Problems.ofHead(Wire.fromWire(event.getFailed().getProblem()), worker);
        if (event.getFailed().getNoSpare()) {
            follow(plan.withoutSpare(problem, worker, world.nowMillis()));
        } else {
            failed(problem, worker);
        }
    }

    /** Another head takes over from one that is about to leave, where there is any. */
    private void moveOn(HeadLine line) {
        soughtMillis = world.nowMillis();
        Ticket current = plan.ticket();
        if (current == null) {
            return;
        }
        Set<String> avoid = new TreeSet<>(plan.avoid(world.nowMillis()));
        avoid.add(line.workerId());
        RepairWish away = new RepairWish(current, avoid, plan.nextEpoch(), RepairWish.Head.MAY_GO);
        if (gateway.repairs().repair(away) instanceof RouteAnswer.Found(var route)) {
            letGo();
            before = line;
            dial(route.ticket());
        }
    }

    /** The head that was to leave may hang up: another has taken over, or nobody will. */
    private void letGo() {
        HeadLine line = before;
        before = null;
        if (line != null) {
            line.hangUp();
        }
    }

    /** The connection to the head was closed. */
    void lineBroke(HeadLine line) {
        if (head == line && !over) {
            head = null;
            letGo();
            failed(Problems.lost("Worker " + line.workerId() + " was lost."), line.workerId());
        }
    }

    private void failed(Problem problem, String worker) {
        follow(plan.failed(problem, worker, world.nowMillis()));
    }

    private void follow(ResumePlan.Next next) {
        switch (next) {
            case ResumePlan.Next.TryAgain(int pause) ->
                    world.agenda().after(Math.max(1, pause), this::draw);
            case ResumePlan.Next.GiveUp(Problem problem) -> giveUp(problem);
        }
    }

    private void draw() {
        Ticket current = plan.ticket();
        if (over || current == null) {
            return;
        }
        Set<String> avoid = plan.avoid(world.nowMillis());
        RepairWish.Head former =
                plan.headWithoutSpare() ? RepairWish.Head.SHOULD_GO : RepairWish.Head.MAY_GO;
        RepairWish wish = new RepairWish(current, avoid, plan.nextEpoch(), former);
        switch (gateway.repairs().repair(wish)) {
            case RouteAnswer.Found(var route) -> dial(route.ticket());
            case RouteAnswer.None(Problem problem, Prospect prospect) ->
                    follow(plan.noRoute(problem, prospect == Prospect.HEALING, world.nowMillis()));
        }
    }

    /** The regular look at the clock: nothing may hang. */
    private void look() {
        if (over) {
            return;
        }
        if (head != null && headLeaves && soughtMillis + LEAVING_LOOK_MILLIS <= world.nowMillis()) {
            moveOn(head);
        }
        if (head != null) {
            lookAtHead(head, world.nowMillis());
        }
        meter.settleIfDue(world.nowMillis());
        world.agenda().after(LOOK_MILLIS, this::look);
    }

    private void lookAtHead(HeadLine line, long now) {
        int most = plan.prefilling() ? patience.firstTokenMillis() : patience.nextTokenMillis();
        long silentMillis = now - heardMillis;
        if (silentMillis > patience.suspicionMillis() && gateway.desk().gone(line.workerId())) {
            headLost(line, "is not heard of any more");
        } else if (watching.suspects(heardMillis, now)) {
            line.probe(watching.answerMillis(), here -> probed(line, here));
        } else if (silentMillis > most) {
            headLost(line, "sent nothing for too long");
        }
    }

    private void probed(HeadLine line, boolean here) {
        if (head != line || over) {
            return;
        }
        if (here) {
            watching.answered(world.nowMillis());
        } else {
            watching.lost();
            headLost(line, "did not answer");
        }
    }

    private void headLost(HeadLine line, String what) {
        trace("has lost its head: " + line.workerId() + " " + what);
        head = null;
        letGo();
        line.hangUp();
        failed(Problems.lost("Worker " + line.workerId() + " " + what + "."), line.workerId());
    }

    /** The gateway dies: to the head its caller has hung up. */
    void gatewayDied() {
        world.tally().failed(Problem.Kind.NOT_LEADER);
        trace("has lost its gateway");
        end();
    }

    /** A worker died; if it was the head, the call to it breaks. */
    void workerDied(VirtualWorker worker, boolean closing, long noticedMillis) {
        HeadLine line = head;
        if (line != null && line.leadsTo(worker)) {
            line.died(closing, noticedMillis);
        }
    }

    private void giveUp(Problem problem) {
        trace("is given up: " + problem.message());
        if (question.mustSucceed()) {
            world.broken(
                    "the world has healed, and session %s fails: %s"
                            .formatted(id, problem.message()));
        }
        world.tally().failed(problem.kind());
        end();
    }

    private void end() {
        over = true;
        settle();
        letGo();
        HeadLine line = head;
        head = null;
        if (line != null) {
            line.hangUp();
        }
        release();
        world.answers().ended(this);
    }

    /** Each token counts once, and the prompt if there is anything to show for it. */
    private void settle() {
        meter.settle();
        int tokens = plan.committed().size();
        boolean right =
                tokensCounted == tokens
                        && (promptsCounted == question.prompt().length
                                || (tokens == 0 && promptsCounted == 0));
        if (!right) {
            world.broken(
                    "session %s has %d tokens, and %d are counted, %d of the prompt"
                            .formatted(id, tokens, tokensCounted, promptsCounted));
        }
    }

    private void release() {
        Ticket ticket = plan.ticket();
        if (ticket != null) {
            gateway.desk().release(ticket);
        }
    }

    void trace(String what) {
        world.trace().note("session " + Long.toHexString(id.low()), what);
    }

    /** A route in words. */
    static String route(Ticket ticket) {
        return ticket.stages().stream().map(RouteStage::workerId).collect(Collectors.joining(" → "))
                + " (epoch "
                + ticket.epoch()
                + ")";
    }

    /** Workers of the newest route that the gateway has heard of. */
    List<String> workers() {
        Ticket ticket = plan.ticket();
        return ticket == null
                ? List.of()
                : ticket.stages().stream().map(RouteStage::workerId).toList();
    }
}
