package coop.sahkar.worker.head;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * How a head repairs its route: asks for the next one, again and again with pauses, and goes over
 * to it. Pure: time is an argument, what is to be done is returned.
 *
 * <pre>
 *            lost                       found
 *   WHOLE ─────────► ASKING ───────────────────────────► WHOLE   (reopen; epoch + 1)
 *                    │    ▲ ◄─ found, but a stage of it was lost meanwhile: ask at once
 *           none now │    │ pause over
 *                    ▼    │
 *                    RESTING ──── no route for {@link #SEARCH_NANOS} ────► given up
 * </pre>
 *
 * <p>A worker that is about to leave works on: the route stays whole while one without it is asked
 * for, and if there is none it is asked for when the worker says again that it leaves. A loss
 * meanwhile makes a repair of that question.
 */
public final class Repair {
    /** How long another route is looked for. */
    static final long SEARCH_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** A coordinator that has not answered within this is taken to know of none. */
    static final long ANSWER_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** A lost worker may have come back after this. */
    static final long RETURN_NANOS = TimeUnit.SECONDS.toNanos(5);

    /**
     * Where there is no route without it, it is taken again after this, if coordinators see it:
     * where much happens at once the wrong one is blamed.
     */
    static final long FORGIVEN_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** First pause between two questions; doubled each time. */
    static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** The longest pause. */
    static final long MOST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Repairs after which something must have come round, or the generation is given up. */
    static final int FRUITLESS_REPAIRS = 8;

    private enum State {
        /** Nothing of the route is known to be lost. */
        WHOLE,
        /** A coordinator was asked and has not answered. */
        ASKING,
        /** There was no route; it is asked again after a pause. */
        RESTING,
        /** There is none, and the generation has failed. */
        GIVEN_UP
    }

    /** What the engine has to do. */
    public sealed interface Step {}

    /** Nothing. */
    public record Rest() implements Step {}

    /** Ask for the route after {@code newest}. */
    public record Ask(SealedTicket newest, Set<String> lost, Problem why) implements Step {}

    /**
     * Open the ring along {@code next}.
     *
     * @param leavers workers that are about to leave and work on: what they hold can be had
     */
    public record Reopen(SealedTicket next, long repairNanos, Set<String> leavers)
            implements Step {}

    /** Fail the generation. */
    public record GiveUp(Problem problem, String workerId, boolean noSpare) implements Step {}

    private static final Rest REST = new Rest();

    private final TreeMap<String, Long> lostNanos = new TreeMap<>();
    private final TreeMap<String, Long> leavingNanos = new TreeMap<>();
    private SealedTicket open;
    private SealedTicket newest;
    private State state = State.WHOLE;
    private Problem why = Problem.of(Problem.Kind.INTERNAL, "");
    private String culprit = "";
    private long sinceNanos;
    private long turnNanos;
    private long pauseNanos;
    private int fruitless;

    /** Whether it was asked in vain since the last loss. */
    private boolean inVain;

    /** Whether what is asked for is no more than a wish: the route is whole. */
    private boolean wish;

    /** Looks after a route that was just opened. */
    public Repair(SealedTicket route) {
        this.open = route;
        this.newest = route;
    }

    /** Whether the route is being repaired. */
    public boolean underway() {
        return !wish && (state == State.ASKING || state == State.RESTING);
    }

    /** Something came all the way round: the route works. */
    public void moved() {
        fruitless = 0;
    }

    /** A worker is lost to the route. */
    public Step lost(String workerId, Problem what, long nowNanos) {
        lostNanos.put(workerId, nowNanos);
        if ((state != State.WHOLE && !wish) || !has(open, workerId)) {
            return REST;
        }
        begin(workerId, what, nowNanos);
        if (++fruitless > FRUITLESS_REPAIRS) {
            return giveUp(what, false);
        }
        if (wish) {
            wish = false; // the answer under way tells whether it has to be asked again
            return REST;
        }
        return ask(nowNanos);
    }

    /** A worker of the route is about to leave; it works until the session has gone. */
    public Step leaves(String workerId, long nowNanos) {
        leavingNanos.put(workerId, nowNanos);
        if (state != State.WHOLE || !has(open, workerId)) {
            return REST;
        }
        String sentence = "Worker %s is leaving.".formatted(workerId);
        begin(workerId, Problem.of(Problem.Kind.WORKER_LOST, sentence), nowNanos);
        wish = true;
        return ask(nowNanos);
    }

    private void begin(String workerId, Problem what, long nowNanos) {
        why = what;
        culprit = workerId;
        sinceNanos = nowNanos;
        pauseNanos = PAUSE_NANOS;
        inVain = false;
    }

    /** What asking came to. */
    public Step answered(Reroute answer, long nowNanos) {
        if (state != State.ASKING) {
            return REST;
        }
        return switch (answer) {
            case Reroute.Found(SealedTicket next) -> found(next, nowNanos);
            case Reroute.NoneNow(Problem problem) -> none(problem, nowNanos);
            case Reroute.AnotherHead(Problem problem) ->
                    wish ? stay() : giveUp(without(problem), true);
            case Reroute.Never(Problem problem) -> wish ? stay() : giveUp(without(problem), false);
        };
    }

    /** The regular look. */
    public Step look(long nowNanos) {
        return switch (state) {
            case WHOLE, GIVEN_UP -> REST;
            case ASKING ->
                    nowNanos - turnNanos < ANSWER_NANOS
                            ? REST
                            : none(
                                    Problem.of(
                                            Problem.Kind.NOT_LEADER,
                                            "No coordinator has answered."),
                                    nowNanos);
            case RESTING -> nowNanos - turnNanos < 0 ? REST : ask(nowNanos);
        };
    }

    private Step found(SealedTicket next, long nowNanos) {
        if (next.ticket().epoch() <= newest.ticket().epoch()) {
            return REST; // the answer to an earlier question
        }
        newest = next;
        Set<String> lost = avoid(nowNanos);
        if (lost.stream().anyMatch(worker -> has(next, worker))) {
            if (wish) {
                return stay();
            }
            return nowNanos - sinceNanos < SEARCH_NANOS ? ask(nowNanos) : giveUp(why, true);
        }
        Set<String> leavers = wish ? Set.copyOf(leavingNanos.keySet()) : Set.of();
        state = State.WHOLE;
        wish = false;
        open = next;
        return new Reopen(next, nowNanos - sinceNanos, leavers);
    }

    /** There is no better route: the one that works is kept. */
    private Rest stay() {
        state = State.WHOLE;
        wish = false;
        return REST;
    }

    private Step none(Problem problem, long nowNanos) {
        if (wish) {
            return stay();
        }
        if (nowNanos - sinceNanos >= SEARCH_NANOS) {
            return giveUp(without(problem), true);
        }
        state = State.RESTING;
        inVain = true;
        turnNanos = nowNanos + pauseNanos;
        pauseNanos = Math.min(2 * pauseNanos, MOST_PAUSE_NANOS);
        return REST;
    }

    private Step ask(long nowNanos) {
        state = State.ASKING;
        turnNanos = nowNanos;
        return new Ask(newest, avoid(nowNanos), why);
    }

    private GiveUp giveUp(Problem problem, boolean noSpare) {
        state = State.GIVEN_UP;
        return new GiveUp(problem, culprit, noSpare);
    }

    private Problem without(Problem noRoute) {
        return new Problem(
                why.kind(),
                why.message() + " No other route was found: " + noRoute.message(),
                why.field(),
                Math.max(why.retryAfterMillis(), noRoute.retryAfterMillis()));
    }

    private Set<String> avoid(long nowNanos) {
        long returns = inVain ? FORGIVEN_NANOS : RETURN_NANOS;
        lostNanos.values().removeIf(at -> nowNanos - at >= returns);
        leavingNanos.values().removeIf(at -> nowNanos - at >= RETURN_NANOS);
        Set<String> avoid = new TreeSet<>(lostNanos.keySet());
        if (wish) {
            avoid.addAll(leavingNanos.keySet());
        }
        return avoid;
    }

    private static boolean has(SealedTicket sealed, String workerId) {
        return sealed.ticket().stages().stream()
                .map(RouteStage::workerId)
                .anyMatch(workerId::equals);
    }
}
