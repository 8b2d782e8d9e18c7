package coop.sahkar.worker.head;

import coop.sahkar.worker.engine.StageMessage.ProbeAnswer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Notices from the head that a route has fallen silent, or slow, and finds out who is at fault.
 * Pure: time is an argument.
 *
 * <p>The deadline is learnt from the session's own trips round the ring. At the deadline every
 * stage is probed. One that does not answer is lost: a stopped process, a dead host, a link to it
 * that is cut. If all answer but what one sent has not come to the next, it is sent once more; if
 * it has not come then, the link between them is cut one way and the stage behind it counts as
 * lost; and if nothing comes to its successor either, the stage before it does. If all answer and
 * nothing is amiss the route is slow: the deadline doubles.
 */
public final class RouteWatch {
    /** No silence shorter than this is suspicious. */
    static final long FLOOR_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

    /** Before a trip is known, this much silence is. */
    static final long FIRST_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** No silence longer than this goes without a probe. */
    static final long CEILING_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** So many times the slowest recent trip is silence. */
    static final int SILENT_TRIPS = 6;

    /** A stage that computes answers after its batch: it is given at least this. */
    static final long ANSWER_FLOOR_NANOS = TimeUnit.MILLISECONDS.toNanos(400);

    /** And at most this. */
    static final long ANSWER_CEILING_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** Or so many times the slowest recent batch of this head. */
    static final int ANSWER_BATCHES = 4;

    /** Or so many times the slowest recent trip: where frames take their time probes do, too. */
    static final int ANSWER_TRIPS = 2;

    /** Trips remembered; so many slow ones in a row make a route slow. */
    static final int TRIPS = 8;

    /** So many times as long as it used to take is far slower than promised. */
    static final int SLOW_TIMES = 8;

    private static final int NOBODY = 0;

    /** What looking came to. */
    public sealed interface Verdict {}

    /** Nothing is to be done. */
    public record Fine() implements Verdict {}

    /** All stages behind the head are to be probed. */
    public record ProbeAll(int round) implements Verdict {}

    /** Rows may have got lost: what was not acknowledged is to be fed once more. */
    public record Nudge() implements Verdict {}

    /**
     * Stages are at fault.
     *
     * @param stages indexes of them in the route
     * @param what of their worker was seen, to stand behind its name
     */
    public record Lost(List<Integer> stages, String what) implements Verdict {}

    private static final Fine FINE = new Fine();

    private final ArrayDeque<Long> trips = new ArrayDeque<>();
    private @Nullable ProbeAnswer[] answers = new ProbeAnswer[0];
    private @Nullable ProbeAnswer[] before = new ProbeAnswer[0];
    private long movedNanos;
    private long quietNanos;
    private long probedNanos;
    private long promisedNanos;
    private int round;
    private int patience;
    private int suspect;

    /** The stage to which a link was cut, as long as nothing has come round since. */
    private int cutBefore;

    private boolean probing;
    private boolean hedging;
    private boolean deaf;

    /** Begins to watch a route of so many stages. */
    public RouteWatch(int stages, long nowNanos) {
        rerouted(stages, nowNanos);
    }

    /** The session goes on along another route; what was learnt of its pace stays. */
    public void rerouted(int stages, long nowNanos) {
        answers = new ProbeAnswer[stages];
        before = new ProbeAnswer[stages];
        probing = false;
        hedging = false;
        alive(nowNanos);
        movedNanos = 0;
    }

    /** Something came all the way round. */
    public void moved(long nowNanos) {
        if (movedNanos != 0) {
            trips.addLast(nowNanos - movedNanos);
            if (trips.size() > TRIPS) {
                trips.removeFirst();
            }
            if (promisedNanos == 0 && trips.size() == TRIPS) {
                promisedNanos = trips.stream().sorted().skip(TRIPS / 2).findFirst().orElseThrow();
            }
        }
        probing &= hedging;
        cutBefore = NOBODY;
        alive(nowNanos);
        movedNanos = nowNanos;
    }

    /** Takes a stage's answer; the head answers for itself. One to an older probe is ignored. */
    public void answered(ProbeAnswer answer) {
        if (probing && answer.round() == round && answer.stage() < answers.length) {
            answers[answer.stage()] = answer;
        }
    }

    /**
     * The regular look.
     *
     * @param batchNanos slowest recent batch of the head: an answer may have to wait for one
     */
    public Verdict look(long nowNanos, long batchNanos) {
        if (answers.length < 2) {
            return FINE;
        }
        if (probing) {
            boolean all = Arrays.stream(answers).allMatch(answer -> answer != null);
            return all || nowNanos - probedNanos >= answerNanos(batchNanos)
                    ? judge(nowNanos, answerNanos(batchNanos))
                    : FINE;
        }
        if (nowNanos - quietNanos >= deadlineNanos()) {
            return probe(nowNanos);
        }
        if (slow()) {
            hedging = true;
            return probe(nowNanos);
        }
        return FINE;
    }

    /** Silence that is waited for now. */
    long deadlineNanos() {
        long learnt =
                trips.isEmpty()
                        ? FIRST_NANOS
                        : Math.max(FLOOR_NANOS, SILENT_TRIPS * slowestNanos());
        return Math.min(CEILING_NANOS, learnt << patience);
    }

    private long slowestNanos() {
        return trips.stream().mapToLong(Long::longValue).max().orElse(0);
    }

    private long answerNanos(long batchNanos) {
        long usual = Math.max(ANSWER_BATCHES * batchNanos, ANSWER_TRIPS * slowestNanos());
        return Math.clamp(usual, ANSWER_FLOOR_NANOS, ANSWER_CEILING_NANOS);
    }

    private boolean slow() {
        return promisedNanos > 0
                && trips.size() == TRIPS
                && trips.stream()
                        .allMatch(trip -> trip > FLOOR_NANOS && trip > SLOW_TIMES * promisedNanos);
    }

    private ProbeAll probe(long nowNanos) {
        probing = true;
        probedNanos = nowNanos;
        answers = new ProbeAnswer[answers.length];
        return new ProbeAll(++round);
    }

    private Verdict judge(long nowNanos, long waitedNanos) {
        probing = false;
        quietNanos = nowNanos;
        List<Integer> silent = new ArrayList<>();
        for (int stage = 1; stage < answers.length; stage++) {
            if (answers[stage] == null) {
                silent.add(stage);
            }
        }
        if (!silent.isEmpty()) {
            // All at once is more likely this machine's own trouble.
            if (silent.size() > 1 && silent.size() == answers.length - 1 && !deaf) {
                deaf = true;
                return probe(nowNanos);
            }
            long millis = TimeUnit.NANOSECONDS.toMillis(waitedNanos);
            return new Lost(silent, "did not answer a probe within " + millis + " ms");
        }
        return hedging ? judgeSlow() : judgeLinks(nowNanos);
    }

    private Verdict judgeSlow() {
        hedging = false;
        trips.clear();
        promisedNanos = 0;
        int worst = NOBODY;
        double most = SLOW_TIMES / 2.0;
        for (int stage = 1; stage < answers.length; stage++) {
            ProbeAnswer answer = answers[stage];
            if (answer != null && answer.usualMicros() > 0) {
                double times = (double) answer.batchMicros() / answer.usualMicros();
                if (times > most) {
                    worst = stage;
                    most = times;
                }
            }
        }
        return worst == NOBODY
                ? FINE
                : new Lost(
                        List.of(worst),
                        "takes %d times as long as it used to".formatted(Math.round(most)));
    }

    private Verdict judgeLinks(long nowNanos) {
        if (grew()) {
            before = answers;
            alive(nowNanos);
            return FINE;
        }
        int fault = brokenLink();
        if (fault != NOBODY && fault == suspect) {
            return cut(fault);
        }
        suspect = fault;
        boolean compared = before[0] != null;
        before = answers;
        if (fault == NOBODY && compared && learnable()) {
            patience++;
        }
        return fault == NOBODY ? FINE : new Nudge();
    }

    /** Between the head and the stage behind it that one is to blame: the head cannot be. */
    private Lost cut(int fault) {
        if (fault == cutBefore && fault > 1) {
            cutBefore = NOBODY;
            return new Lost(List.of(fault - 1), "sends what nobody behind it gets");
        }
        cutBefore = fault;
        return new Lost(List.of(fault), "gets nothing from the stage before it");
    }

    private boolean learnable() {
        return deadlineNanos() < CEILING_NANOS;
    }

    private boolean grew() {
        for (int stage = 0; stage < answers.length; stage++) {
            ProbeAnswer now = answers[stage];
            ProbeAnswer then = before[stage];
            if (now != null
                    && then != null
                    && (now.held() > then.held() || now.sent() > then.sent())) {
                return true;
            }
        }
        return false;
    }

    /** The stage behind the first link over which what was sent did not come; 0 for none. */
    private int brokenLink() {
        for (int stage = 1; stage < answers.length; stage++) {
            ProbeAnswer upstream = answers[stage - 1];
            ProbeAnswer here = answers[stage];
            if (upstream == null || here == null) {
                continue;
            }
            if (!here.open() || !upstream.flowing() || upstream.sent() > here.queued()) {
                return stage;
            }
        }
        return NOBODY;
    }

    private void alive(long nowNanos) {
        quietNanos = nowNanos;
        patience = 0;
        suspect = NOBODY;
        deaf = false;
    }
}
