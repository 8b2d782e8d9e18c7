package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.coordinator.routing.Prospect;
import coop.sahkar.coordinator.routing.RepairWish;
import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.coordinator.routing.RouteWish;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.RunRequest;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One generation on its way: the shell round a {@link ResumePlan}. Everything happens in its {@code
 * turn}, one thing at a time; timers, heads and the reader only put work there. The head is asked
 * for an event when the reader asks for one, so a slow reader holds back the head and nothing is
 * buffered here.
 */
final class GenerationRun implements HeadCall.Receiver, Admission.Applicant {
    private static final Logger LOG = LoggerFactory.getLogger(GenerationRun.class);

    private final GenerationRunner runner;
    private final GenerateRequest request;
    private final String account;
    private final int mostPositions;
    private final @Nullable Deadline deadline;
    private final GenerationListener listener;
    private final Patience patience;
    private final ResumePlan plan;
    private final SynchronizationContext turn;
    private final GenerationMeter meter;
    private final HeadWatch watching = new HeadWatch();
    private @Nullable NextTurn nextTurn;
    private final GoingOn goingOn;

    private SynchronizationContext.@Nullable ScheduledHandle watch;
    private @Nullable HeadCall head;
    private final LeavingHead leaving = new LeavingHead();
    private boolean asked;
    private boolean done;
    private long askedMillis;
    private long heardMillis;
    private long deliveredMillis;

    GenerationRun(
            GenerationRunner runner,
            GenerateRequest request,
            Caller caller,
            @Nullable Deadline deadline,
            GenerationListener listener) {
        this.runner = runner;
        this.request = request;
        this.account = caller.account();
        this.mostPositions = caller.tier().contextTokens();
        this.deadline = deadline;
        this.listener = listener;
        this.patience = runner.patience();
        this.meter = runner.meter(account, request);
        this.goingOn = new GoingOn(runner, request);
        this.plan = goingOn.plan(patience, now());
        this.turn = new SynchronizationContext((_, bug) -> crashed(bug));
    }

    /** Begins; called once. */
    void begin() {
        turn.execute(() -> {
            deliveredMillis = now();
            listener.begun(this);
            int tick = patience.tickMillis();
            watch =
                    turn.scheduleWithFixedDelay(
                            this::look, tick, tick, TimeUnit.MILLISECONDS, runner.timer());
            if (plan.ticket() == null) {
                nextTurn = runner.nextTurn(account, request);
                runner.admission().enter(this, account, wish(Set.of()));
            } else {
                runner.admission().goOn(this, account, wish(Set.of()));
                draw();
            }
        });
    }

    /** Asks for one event; may be called from any thread. */
    void next() {
        turn.execute(() -> {
            if (done || asked) {
                return;
            }
            asked = true;
            askedMillis = now();
            if (head != null) {
                head.request();
            }
        });
    }

    /**
     * The reader hung up: the head is told, and no event follows. May be called from any thread.
     */
    void cancel() {
        turn.execute(() -> {
            if (!done) {
                plan.tellEnded(runner.repairLog(), true);
                stop("the reader hung up");
                listener.abandoned();
            }
        });
    }

    /**
     * This coordinator stops: the reader hears so, and the head goes on for a while for whoever
     * asks at another. May be called from any thread.
     */
    void leave(Problem problem) {
        turn.execute(() -> {
            HeadCall call = head;
            head = null;
            if (call != null) {
                call.abandon(problem.message());
            }
            end(Problems.failedEvent(problem, ""));
        });
    }

    /** Ends with a problem; may be called from any thread. */
    void fail(Problem problem) {
        turn.execute(() -> end(Problems.failedEvent(problem, "")));
    }

    @Override
    public void routed(RouteAnswer answer) {
        turn.execute(() -> {
            switch (answer) {
                case RouteAnswer.Found(var route) when done ->
                        runner.routes().release(route.ticket().ticket());
                case RouteAnswer.Found(var route) -> dial(route.ticket());
                case RouteAnswer.None(var problem, var _) -> end(Problems.failedEvent(problem, ""));
            }
        });
    }

    /** Another route for a generation that was let in. */
    private void draw() {
        if (done) {
            return;
        }
        switch (another()) {
            case RouteAnswer.Found(var route) -> dial(route.ticket());
            case RouteAnswer.None(var problem, var prospect) ->
                    follow(plan.noRoute(problem, prospect == Prospect.HEALING, now()), "");
        }
    }

    /** A first route, or one that keeps what is left of the last: it holds the session. */
    private RouteAnswer another() {
        Set<String> avoid = plan.avoid(now());
        Ticket before = plan.ticket();
        if (before == null) {
            return Admission.draw(runner.routes(), wish(avoid));
        }
        int epoch = plan.nextEpoch();
        String why = "the head or its coordinator was lost";
        runner.repairLog()
                .begun(before.session(), before.modelId(), epoch, List.copyOf(avoid), why);
        RepairWish.Head former =
                plan.headWithoutSpare() ? RepairWish.Head.SHOULD_GO : RepairWish.Head.MAY_GO;
        return runner.repairs().repair(new RepairWish(before, avoid, epoch, former));
    }

    /** What is wanted of a first route. */
    private RouteWish wish(Set<String> avoid) {
        RouteWish fresh =
                new RouteWish(
                        request.getModel(),
                        RequestRules.positionsBound(request, mostPositions),
                        avoid,
                        List.of(),
                        plan.session(),
                        plan.epoch(),
                        account);
        return nextTurn == null ? fresh : nextTurn.wish(fresh);
    }

    /**
     * Has another head take over from one that is about to leave, which goes on until then; where
     * there is none it stays until it ends or one comes.
     */
    private void moveOn(HeadCall call) {
        Ticket before = plan.ticket();
        long now = now();
        leaving.looked(now);
        if (before == null) {
            return;
        }
        Set<String> avoid = new TreeSet<>(plan.avoid(now));
        avoid.add(call.workerId());
        int epoch = plan.nextEpoch();
        RepairWish away = new RepairWish(before, avoid, epoch, RepairWish.Head.MAY_GO);
        if (runner.repairs().repair(away) instanceof RouteAnswer.Found(var route)) {
            String why = "head " + call.workerId() + " is leaving";
            runner.repairLog()
                    .begun(before.session(), before.modelId(), epoch, List.copyOf(avoid), why);
            leaving.replaced(call);
            dial(route.ticket());
        }
    }

    private void dial(SealedTicket ticket) {
        release();
        goingOn.drawn(ticket);
        leaving.called();
        plan.drawn(ticket.ticket());
        meter.along(ticket.ticket());
        RouteStage stage = ticket.ticket().head();
        HeadCall call = new HeadCall(stage.workerId(), runner.address(stage), this);
        head = call;
        heardMillis = now();
        watching.begun(heardMillis);
        try {
            int rest = nextTurn == null ? 0 : nextTurn.restMillis();
            RunRequest run = HeadRequests.run(ticket, request, plan, goingOn.askedAtMillis(), rest);
            call.start(runner.heads().to(call.workerId(), call.endpoint()), run, deadline);
        } catch (IllegalArgumentException | IllegalStateException unreachable) {
            LOG.warn("head {} at {} cannot be dialled", stage.workerId(), stage.endpoint());
            lost(Status.UNAVAILABLE);
            return;
        }
        if (asked) {
            call.request();
        }
    }

    @Override
    public void received(HeadCall call, GenerationEvent event) {
        turn.execute(() -> {
            if (head == call) {
                long now = now();
                watching.heard(now - Math.max(heardMillis, askedMillis), now);
                heardMillis = now;
                accept(call, event);
            }
        });
    }

    private void accept(HeadCall call, GenerationEvent event) {
        if (!event.hasStarted()) {
            leaving.letGo("another head has taken over");
        }
        if (event.hasFailed()) {
            head = null;
            String blamed = event.getFailed().getWorkerId();
            String worker = blamed.isEmpty() ? call.workerId() : blamed;
            Problem said = Wire.fromWire(event.getFailed().getProblem());
            Problem problem = Problems.ofHead(said, worker);
            if (event.getFailed().getNoSpare()) {
                follow(plan.withoutSpare(problem, worker, now()), worker);
            } else {
                failed(problem, worker);
            }
        } else if (event.hasFinished()) {
            head = null;
            meter.finished(now());
            rests();
            end(event.toBuilder().setFinished(plan.finish(event.getFinished())).build());
        } else {
            ResumePlan.Taken taken = plan.take(event);
            if (!(taken instanceof ResumePlan.Taken.Breach)) {
                meter.heard(event, plan.ticket(), now());
            }
            pass(call, event, taken);
            if (event.hasLeaving() && head == call) {
                leaving.said();
                moveOn(call);
            }
            if (event.hasStarted() || event.hasRerouted()) {
                plan.tellRepaired(runner.repairLog());
            }
        }
    }

    /** The chat's next turn may go on where this one ended. */
    private void rests() {
        Ticket ticket = plan.ticket();
        if (nextTurn != null && ticket != null) {
            nextTurn.finished(ticket, now());
        }
    }

    private void pass(HeadCall call, GenerationEvent said, ResumePlan.Taken taken) {
        switch (taken) {
            case ResumePlan.Taken.Pass(var event) -> {
                if (nextTurn != null) {
                    nextTurn.heard(event);
                }
                deliver(event.hasStarted() ? goingOn.started(event, plan) : event);
            }
            case ResumePlan.Taken.Swallow() -> {
                if (said.hasStarted() || said.hasRerouted()) {
                    deliver(goingOn.rerouted(plan));
                } else {
                    call.request();
                }
            }
            case ResumePlan.Taken.Breach(var sentence) -> {
                String worker = call.workerId();
                hangUp("it broke the protocol");
                failed(Problems.lost("Worker " + worker + " " + sentence + "."), worker);
            }
        }
    }

    private void deliver(GenerationEvent event) {
        asked = false;
        deliveredMillis = now();
        listener.event(event);
    }

    @Override
    public void ended(HeadCall call, Status status) {
        turn.execute(() -> {
            if (head == call) {
                lost(status);
            }
        });
    }

    private void lost(Status status) {
        HeadCall call = head;
        head = null;
        if (call == null) {
            return;
        }
        leaving.letGo("its successor was lost");
        if (status.getCode() == Status.Code.UNAVAILABLE) {
            runner.heads().drop(call.workerId(), call.endpoint());
        }
        failed(Problems.ofStatus(status, call.workerId()), call.workerId());
    }

    private void failed(Problem problem, String worker) {
        LOG.info("worker {} failed a generation: {}", worker, problem.kind());
        follow(plan.failed(problem, worker, now()), worker);
    }

    private void follow(ResumePlan.Next next, String worker) {
        switch (next) {
            case ResumePlan.Next.TryAgain(int pause) -> {
                if (pause == 0) {
                    turn.execute(this::draw);
                } else {
                    turn.schedule(this::draw, pause, TimeUnit.MILLISECONDS, runner.timer());
                }
            }
            case ResumePlan.Next.GiveUp(var problem) -> {
                if (!waitsOn(problem)) {
                    end(Problems.failedEvent(problem, worker));
                }
            }
        }
    }

    /** Nothing was computed yet and all were full after all: it waits on rather than fail. */
    private boolean waitsOn(Problem problem) {
        return problem.kind() == Problem.Kind.OVERLOADED
                && !plan.hasTokens()
                && runner.admission().again(this, wish(Set.of()));
    }

    /** The regular look at the clock: nothing may hang. */
    private void look() {
        long now = now();
        meter.look(now);
        if (head != null && leaving.due(now)) {
            moveOn(head);
        }
        if (deadline != null && deadline.isExpired()) {
            end(Problems.failedEvent(Problems.deadline(), ""));
        } else if (!asked) {
            lookAtReader(now);
        } else {
            if (head != null) {
                lookAtHead(head, now);
            }
            if (!done) {
                listener.waiting(now - askedMillis);
            }
        }
    }

    private void lookAtReader(long now) {
        if (now - deliveredMillis > patience.slowReaderMillis()) {
            end(Problems.failedEvent(Problems.slowReader(patience.slowReaderMillis()), ""));
        }
    }

    private void lookAtHead(HeadCall call, long now) {
        int most = plan.prefilling() ? patience.firstTokenMillis() : patience.nextTokenMillis();
        long silentMillis = now - Math.max(heardMillis, askedMillis);
        String worker = call.workerId();
        if (silentMillis > patience.suspicionMillis() && runner.routes().gone(worker)) {
            headLost(call, "Worker %s is not heard of any more.");
        } else if (watching.suspects(askedMillis, now)) {
            ask(call);
        } else if (silentMillis > most) {
            hangUp("it was silent");
            failed(
                    Problems.lost(
                            "Worker %s sent nothing for %d s."
                                    .formatted(call.workerId(), Math.max(1, most / 1000))),
                    call.workerId());
        }
    }

    private void ask(HeadCall call) {
        call.probe(
                watching.answerMillis(),
                runner.timer(),
                here ->
                        turn.execute(() -> {
                            if (head != call) {
                                return;
                            }
                            if (here) {
                                watching.answered(now());
                                return;
                            }
                            watching.lost();
                            headLost(call, "Worker %s did not answer.");
                        }));
    }

    private void headLost(HeadCall call, String sentence) {
        runner.heads().drop(call.workerId(), call.endpoint());
        hangUp("it is silent");
        failed(Problems.lost(sentence.formatted(call.workerId())), call.workerId());
    }

    private void end(GenerationEvent last) {
        if (!done) {
            plan.tellEnded(runner.repairLog(), last.hasFinished());
            stop("the generation ended");
            listener.event(last);
        }
    }

    private void stop(String why) {
        done = true;
        meter.settle();
        hangUp(why);
        if (watch != null) {
            watch.cancel();
        }
        release();
        runner.ended(this);
    }

    private void release() {
        Ticket ticket = plan.ticket();
        if (ticket != null) {
            runner.routes().release(ticket);
        }
    }

    private void hangUp(String why) {
        leaving.letGo(why);
        HeadCall call = head;
        head = null;
        if (call != null) {
            call.cancel(why);
        }
    }

    private void crashed(Throwable bug) {
        LOG.error("a generation broke", bug);
        try {
            end(Problems.failedEvent(Problems.gatewayFailed(), ""));
        } catch (RuntimeException again) {
            LOG.error("its reader could not be told", again);
        }
    }

    private static long now() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }
}
