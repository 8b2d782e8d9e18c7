package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.routing.Repairs;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.Rerouted;
import coop.sahkar.proto.v1.Resume;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What one generation needs to survive the loss of a worker: the tokens committed so far, the text
 * delivered, the workers to avoid, and the rules for another try. No I/O and no clock; owned by one
 * thread.
 *
 * <p>The rules: at most {@link #MAX_ATTEMPTS} heads in a row are tried from which no token comes. A
 * lost worker is avoided for a while. A route that cannot be drawn is looked for again until the
 * time for finding a spare is over, or, where the pool is on its way to serve the model again, that
 * for healing. A head that found no route for itself has spent the first of these; from then on
 * another may have the session. A first request that finds no route, or only full workers, is
 * refused at once.
 */
public final class ResumePlan {
    /** Heads tried in a row from which no token comes. */
    static final int MAX_ATTEMPTS = 3;

    /** Repairs of one head that may have gone unheard when it is lost. */
    static final int UNHEARD_REPAIRS = 16;

    /** The longest pause between two looks for a route. */
    static final int MAX_PAUSE_MILLIS = 1_000;

    /** What to do after a failure. */
    public sealed interface Next {
        /** Draw a route after a pause. */
        record TryAgain(int pauseMillis) implements Next {}

        /** Tell the reader. */
        record GiveUp(Problem problem) implements Next {}
    }

    /** What to do with an event of a head. */
    public sealed interface Taken {
        /** Pass it to the reader. */
        record Pass(GenerationEvent event) implements Taken {}

        /** The reader knows it already. */
        record Swallow() implements Taken {}

        /** The head broke the protocol: its event contradicts what was committed. */
        record Breach(String sentence) implements Taken {}
    }

    private final Patience patience;
    private final TreeMap<String, Long> lostAtMillis = new TreeMap<>();
    private final List<Integer> committed = new ArrayList<>();
    private @Nullable Ticket ticket;
    private @Nullable Problem loss;
    private long deliveredBytes;
    private long lossMillis;
    private int attempts;
    private int turn;
    private int unheardRepairs = UNHEARD_REPAIRS;
    private int pauseMillis;
    private boolean headWithoutSpare;
    private int promptTokens = -1;
    private boolean startedPassed;
    private boolean heardTokens;

    /** A generation that has no route yet. */
    public ResumePlan(Patience patience) {
        this.patience = patience;
        this.pauseMillis = patience.pauseMillis();
    }

    /**
     * A generation whose coordinator was lost, behind what its reader has.
     *
     * @param before the right to a route of its session
     * @param nowMillis from now on another route is looked for
     */
    public static ResumePlan goingOn(
            Patience patience, Resume resume, Ticket before, long nowMillis) {
        ResumePlan plan = new ResumePlan(patience);
        plan.ticket = before;
        plan.turn = Math.clamp(resume.getPoint().getTurn(), 1, before.epoch());
        plan.committed.addAll(resume.getCommittedList());
        plan.deliveredBytes = Math.max(0, resume.getDeliveredBytes());
        plan.unheardRepairs = UNHEARD_REPAIRS * Math.max(1, resume.getAttempt());
        plan.loss = Problems.lost("The coordinator was lost.");
        plan.lossMillis = nowMillis;
        return plan;
    }

    /** Number of the newest route; 0 before the first. */
    int epoch() {
        return ticket == null ? 0 : ticket.epoch();
    }

    /**
     * Number of the route for another head. It leaves room for repairs that the head before made
     * and nobody heard of: stages keep to the highest number they know.
     */
    public int nextEpoch() {
        return epoch() + unheardRepairs;
    }

    /** Number of the request's first route: 1 unless a chat goes on in its session. */
    public int turn() {
        return turn;
    }

    /** The session to go on with, null before the first route. */
    @Nullable SessionId session() {
        return ticket == null ? null : ticket.session();
    }

    /** The right to the newest route; null before the first. */
    public @Nullable Ticket ticket() {
        return ticket;
    }

    /** The stages of the newest route; none before the first. */
    List<RouteStage> route() {
        return ticket == null ? List.of() : ticket.stages();
    }

    /** Workers the next route must not use. */
    public Set<String> avoid(long nowMillis) {
        Set<String> avoid = new TreeSet<>();
        lostAtMillis.forEach((worker, at) -> {
            if (nowMillis - at < patience.returnMillis()) {
                avoid.add(worker);
            }
        });
        return avoid;
    }

    /** Tokens committed after the prompt, in order. */
    public List<Integer> committed() {
        return Collections.unmodifiableList(committed);
    }

    /** UTF-8 bytes of text passed to the reader. */
    public long deliveredBytes() {
        return deliveredBytes;
    }

    /** Whether a token was committed. */
    boolean hasTokens() {
        return !committed.isEmpty();
    }

    /** Whether the present head still computes the prompt: it may be silent for longer. */
    public boolean prefilling() {
        return !heardTokens;
    }

    /** A route was drawn and its head is about to be asked. */
    public void drawn(Ticket route) {
        turn = ticket == null ? route.epoch() : turn;
        ticket = route;
        unheardRepairs = UNHEARD_REPAIRS;
        attempts++;
        headWithoutSpare = false;
        promptTokens = -1;
        heardTokens = false;
    }

    /** Judges an event that is not the last one. */
    public Taken take(GenerationEvent event) {
        return switch (event.getEventCase()) {
            case STARTED -> takeStarted(event);
            case PREFILLED -> new Taken.Pass(event);
            case REROUTED -> takeRerouted(event.getRerouted());
            case LEAVING -> new Taken.Swallow();
            case DELTA -> takeDelta(event, event.getDelta());
            case FINISHED, FAILED, EVENT_NOT_SET ->
                    new Taken.Breach("sent an event without content");
        };
    }

    private Taken takeStarted(GenerationEvent event) {
        if (promptTokens >= 0) {
            return new Taken.Breach("began one generation twice");
        }
        promptTokens = event.getStarted().getPromptTokens();
        if (startedPassed) {
            return new Taken.Swallow();
        }
        startedPassed = true;
        return new Taken.Pass(event);
    }

    private Taken takeRerouted(Rerouted rerouted) {
        Ticket now = ticket;
        if (now == null || rerouted.getEpoch() <= now.epoch()) {
            return new Taken.Breach("went back to an older route");
        }
        try {
            ticket =
                    new Ticket(
                            now.session(),
                            rerouted.getEpoch(),
                            now.modelId(),
                            now.blockCount(),
                            rerouted.getRouteList().stream().map(Wire::fromWire).toList(),
                            now.account(),
                            now.maxPositions(),
                            now.expiresAtMillis(),
                            now.generation());
        } catch (IllegalArgumentException e) {
            return new Taken.Breach("went over to a route that is none");
        }
        return new Taken.Swallow();
    }

    private Taken takeDelta(GenerationEvent event, Delta delta) {
        if (promptTokens < 0 || ticket == null) {
            return new Taken.Breach("sent tokens before it began");
        }
        int expected = promptTokens + committed.size();
        if (delta.getTokensCount() > 0 && delta.getPosition() != expected) {
            return new Taken.Breach(
                    "sent tokens from position %d where %d was due"
                            .formatted(delta.getPosition(), expected));
        }
        if (expected + delta.getTokensCount() > ticket.maxPositions()) {
            return new Taken.Breach("sent more tokens than its ticket allows");
        }
        heardTokens = true;
        attempts = 1;
        committed.addAll(delta.getTokensList());
        deliveredBytes += delta.getText().getBytes(StandardCharsets.UTF_8).length;
        return new Taken.Pass(event);
    }

    /** The last event as the reader should see it: counts cover every head that took part. */
    public Finished finish(Finished finished) {
        return finished.getCompletionTokens() >= committed.size()
                ? finished
                : finished.toBuilder().setCompletionTokens(committed.size()).build();
    }

    /**
     * A head failed, or reported that a worker behind it did.
     *
     * @param problem what happened
     * @param worker id of the worker at fault
     */
    public Next failed(Problem problem, String worker, long nowMillis) {
        if (!problem.kind().retryable()) {
            return new Next.GiveUp(problem);
        }
        loss = problem;
        lossMillis = nowMillis;
        lostAtMillis.put(worker, nowMillis);
        pauseMillis = patience.pauseMillis();
        return attempts >= MAX_ATTEMPTS ? new Next.GiveUp(problem) : new Next.TryAgain(0);
    }

    /**
     * A head looked for a route that begins at itself, for as long as is sensible, and found none.
     *
     * @param worker id of the worker whose loss began it
     */
    public Next withoutSpare(Problem problem, String worker, long nowMillis) {
        Next next = failed(problem, worker, nowMillis);
        headWithoutSpare = true;
        lossMillis = nowMillis - patience.spareMillis();
        return next;
    }

    /** Whether the head of the newest route found no other for itself. */
    public boolean headWithoutSpare() {
        return headWithoutSpare;
    }

    /**
     * No route could be drawn.
     *
     * @param healing whether the pool is on its way to serve the model again
     */
    public Next noRoute(Problem problem, boolean healing, long nowMillis) {
        Problem before = loss;
        if (before == null || !problem.kind().retryable()) {
            return new Next.GiveUp(problem);
        }
        boolean wait = before.kind() != Problem.Kind.OVERLOADED || hasTokens();
        int most = healing ? patience.healingMillis() : patience.spareMillis();
        if (!wait || nowMillis - lossMillis >= most) {
            return new Next.GiveUp(withoutSpare(before, problem));
        }
        int pause = pauseMillis;
        pauseMillis = Math.min(2 * pause, MAX_PAUSE_MILLIS);
        return new Next.TryAgain(pause);
    }

    private static Problem withoutSpare(Problem loss, Problem noRoute) {
        return new Problem(
                loss.kind(),
                loss.message() + " No other route was found: " + noRoute.message(),
                loss.field(),
                Math.max(loss.retryAfterMillis(), noRoute.retryAfterMillis()));
    }

    /** A repair of the session is over, if the route is not the first of its turn. */
    void tellRepaired(Repairs log) {
        Ticket newest = ticket();
        if (newest != null && epoch() > turn()) {
            log.finished(newest.session(), epoch());
        }
    }

    /** The generation is over. */
    void tellEnded(Repairs log, boolean well) {
        Ticket newest = ticket();
        if (newest != null) {
            log.ended(newest.session(), well);
        }
    }
}
