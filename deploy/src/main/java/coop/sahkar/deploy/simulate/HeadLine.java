package coop.sahkar.deploy.simulate;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.Started;
import coop.sahkar.worker.head.GenerationEnd;
import coop.sahkar.worker.head.GenerationEvents;
import coop.sahkar.worker.head.GenerationSink;
import coop.sahkar.worker.head.GenerationStart;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A gateway's call to a head, with the stream of events that comes back: in order, late when the
 * network between them is cut, and not at all when one of them has died.
 */
final class HeadLine implements GenerationSink {
    private static final long AGAIN_MILLIS = 20;

    private final Answer answer;
    private final VirtualWorker worker;
    private final ControlPath path;
    private final SealedTicket ticket;
    private final World world;
    private final int boot;
    private final Deque<GenerationEvent> events = new ArrayDeque<>();
    private int epoch;
    private boolean pumps;
    private boolean over;

    HeadLine(Answer answer, VirtualWorker worker, SealedTicket ticket, World world) {
        this.answer = answer;
        this.worker = worker;
        this.path = worker.control().to(answer.gateway());
        this.ticket = ticket;
        this.world = world;
        this.boot = worker.boot();
        this.epoch = ticket.ticket().epoch();
    }

    String workerId() {
        return worker.id;
    }

    boolean leadsTo(VirtualWorker other) {
        return worker == other;
    }

    /** Asks the head to run the generation. */
    void run(GenerationStart start) {
        toHead(() -> begin(start));
    }

    private void begin(GenerationStart start) {
        Optional<Problem> denied = worker.ring().admitHead(ticket.ticket());
        if (denied.isPresent()) {
            failed(denied.get(), "");
            return;
        }
        say(
                GenerationEvent.newBuilder()
                        .setStarted(Started.newBuilder().setPromptTokens(start.prompt().length))
                        .build());
        Ticket opened = ticket.ticket();
        VirtualStage stage = worker.ring().find(opened.session(), opened.epoch());
        if (over) {
            worker.ring().forget(opened.session(), opened.epoch());
        } else if (stage == null || !stage.start(start)) {
            failed(Problem.of(Problem.Kind.OVERLOADED, "Its mailbox is full."), worker.id);
        }
    }

    /** The gateway does not listen any more. */
    void hangUp() {
        if (!over) {
            over = true;
            events.clear();
            toHead(this::cancel);
        }
    }

    private void cancel() {
        Ticket opened = ticket.ticket();
        for (VirtualStage stage : worker.stages()) {
            stage.cancel(opened.session(), opened.epoch());
        }
        worker.ring().forget(opened.session(), epoch);
    }

    /** Asks whether the head is there; the answer comes within so many milliseconds or is no. */
    void probe(long withinMillis, Consumer<Boolean> heard) {
        boolean reaches = path.passes() && worker.up() && !worker.asleep();
        long trip = 2L * path.latencyMillis();
        boolean here = reaches && worker.boot() == boot && trip < withinMillis;
        world.agenda().after(here ? trip : withinMillis, () -> heard.accept(here));
    }

    /** Its worker has died; the gateway learns of it if the connection is closed. */
    void died(boolean closing, long noticedMillis) {
        if (closing) {
            world.agenda().after(noticedMillis, this::broke);
        }
    }

    private void broke() {
        if (!over) {
            over = true;
            answer.lineBroke(this);
        }
    }

    private void toHead(Runnable what) {
        world.agenda()
                .after(
                        path.latencyMillis(),
                        () -> {
                            if (!worker.up() || worker.boot() != boot) {
                                world.agenda().after(path.latencyMillis(), this::broke);
                            } else if (path.passes()) {
                                worker.whenAwake(what);
                            } else {
                                world.agenda().after(AGAIN_MILLIS, () -> toHead(what));
                            }
                        });
    }

    private void say(GenerationEvent event) {
        if (!over) {
            events.addLast(event);
            pump(path.latencyMillis());
        }
    }

    private void pump(long millis) {
        if (!pumps) {
            pumps = true;
            world.agenda()
                    .after(
                            millis,
                            () -> {
                                pumps = false;
                                flush();
                            });
        }
    }

    private void flush() {
        if (!path.passes()) {
            pump(AGAIN_MILLIS);
            return;
        }
        while (!over && !events.isEmpty()) {
            GenerationEvent event = events.removeFirst();
            over = event.hasFailed() || event.hasFinished();
            answer.received(this, event);
        }
    }

    @Override
    public void prefilled(int positions) {
        say(GenerationEvents.prefilled(positions));
    }

    @Override
    public void delta(int position, int[] tokens, String text) {
        answer.committedAtHead(worker.id, position, tokens);
        Delta.Builder delta = Delta.newBuilder().setPosition(position).setText(text);
        for (int token : tokens) {
            delta.addTokens(token);
        }
        say(GenerationEvent.newBuilder().setDelta(delta).build());
    }

    @Override
    public void finished(GenerationEnd end) {
        ended();
        say(GenerationEvents.finished(end));
    }

    @Override
    public void rerouted(SealedTicket route, long repairMicros) {
        epoch = route.ticket().epoch();
        answer.trace("goes on along " + Answer.route(route.ticket()));
        say(GenerationEvents.rerouted(route, repairMicros));
    }

    @Override
    public void leaving() {
        answer.trace("is asked to leave " + worker.id);
        say(GenerationEvents.leaving());
    }

    @Override
    public void noSpare(Problem problem, String workerId) {
        failed(problem, workerId, true);
    }

    @Override
    public void failed(Problem problem, String workerId) {
        failed(problem, workerId, false);
    }

    private void failed(Problem problem, String workerId, boolean noSpare) {
        answer.trace("fails at " + worker.id + ": " + problem.message());
        ended();
        say(GenerationEvents.failed(problem, workerId, noSpare));
    }

    private void ended() {
        worker.ring().forget(ticket.ticket().session(), epoch);
    }
}
