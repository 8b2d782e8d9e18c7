package coop.sahkar.deploy.simulate;

import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.ring.OwedCloses;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/**
 * The connection by which one worker sends to another. It keeps order, and when it breaks all that
 * is under way on it is lost and both ends are told, each in its own time. A loose one, though,
 * also delivers now and then late or twice: as where what an old connection still brings in meets
 * what came on the one after it.
 */
final class VirtualLink {
    /** Messages that may wait at one end before the invariants call it unbounded. */
    static final int MOST_WAITING = 8192;

    /** A link on which nothing is heard for so long is lost. */
    static final long SILENCE_MILLIS = 15_000;

    private static final long DIAL_MILLIS = 5_000;
    private static final long OFFER_AGAIN_MILLIS = 5;
    private static final long REST_MILLIS = 200;
    private static final long MOST_REST_MILLIS = 5_000;
    private static final int JITTER_MILLIS = 3;
    private static final int LATE_MILLIS = 400;

    private enum State {
        /** It is dialled with the next message. */
        CLOSED,
        /** What is sent arrives. */
        OPEN,
        /** What is sent is lost, and nobody has noticed. */
        DEAD
    }

    final VirtualWorker from;
    final VirtualWorker to;
    private final VirtualRing ring;
    private final Chance chance;
    private final int latencyMillis;
    private final Deque<StageMessage> held = new ArrayDeque<>();
    private final Deque<StageMessage> arrived = new ArrayDeque<>();
    private State state = State.CLOSED;
    private int connection;
    private long lastArrivalMillis;
    private long notBeforeMillis;
    private boolean offersAgain;
    private OwedCloses closes = new OwedCloses();
    private boolean saysAgain;

    /** Whether it was dialled only to say again which sessions are over. */
    private boolean ahead;

    /** Times in a row that nothing got through. */
    private int failures;

    VirtualLink(VirtualWorker from, VirtualWorker to, VirtualRing ring, Chance chance) {
        this.from = from;
        this.to = to;
        this.ring = ring;
        this.chance = chance;
        this.latencyMillis = (int) chance.spread(1, 60);
    }

    void send(StageMessage message) {
        ahead = false;
        boolean rests = state == State.CLOSED && ring.nowMillis() < notBeforeMillis;
        if (state == State.CLOSED && !rests) {
            dial();
        }
        if (message instanceof StageMessage.Close close) {
            closes.said(close, nowNanos());
        }
        if (rests) {
            ring.tell(from, to, "it was lost a moment ago");
            sayAgain();
        } else {
            pass(message);
        }
    }

    private void pass(StageMessage message) {
        if (state == State.OPEN && ring.cut(from, to)) {
            held.addLast(message);
        } else if (state == State.OPEN) {
            transmit(message);
        }
    }

    private long nowNanos() {
        return TimeUnit.MILLISECONDS.toNanos(ring.nowMillis());
    }

    /** Has the other dialled again if it may not have heard which sessions are over. */
    private void sayAgain() {
        if (saysAgain || closes.due(nowNanos()).isEmpty()) {
            return;
        }
        saysAgain = true;
        from.later(Math.max(1, notBeforeMillis - ring.nowMillis()), this::dialOwing);
    }

    private void dialOwing() {
        saysAgain = false;
        if (state == State.CLOSED && !closes.due(nowNanos()).isEmpty()) {
            ahead = true;
            dial();
        }
    }

    private void dial() {
        connection++;
        state = to.up() ? State.OPEN : State.DEAD;
        int dialled = connection;
        if (state == State.DEAD) {
            breakLater(2L * latencyMillis + 1, "nobody answers there");
        } else if (ring.cut(from, to) || ring.cut(to, from) || to.asleep()) {
            ring.after(
                    DIAL_MILLIS,
                    () -> {
                        boolean still = ring.cut(from, to) || ring.cut(to, from) || to.asleep();
                        if (still) {
                            breakIf(dialled, "it does not answer");
                        }
                    });
        }
        closes.due(nowNanos()).forEach(this::pass);
    }

    private void transmit(StageMessage message) {
        int sentOn = connection;
        long arrival = ring.nowMillis() + latencyMillis + chance.below(JITTER_MILLIS);
        if (ring.loose(chance)) {
            long late = arrival + 1 + chance.below(LATE_MILLIS);
            ring.at(late, () -> arrive(message, sentOn));
            if (chance.happens(0.5)) {
                return;
            }
        }
        lastArrivalMillis = Math.max(arrival, lastArrivalMillis);
        ring.at(lastArrivalMillis, () -> arrive(message, sentOn));
    }

    private void arrive(StageMessage message, int sentOn) {
        if (sentOn == connection && state == State.OPEN && to.up()) {
            failures = 0;
            arrived.addLast(message);
            deliver();
        }
    }

    /** Hands over what has come, as far as the receiver takes it. */
    void deliver() {
        while (!arrived.isEmpty() && to.up() && !to.asleep()) {
            StageMessage left = to.ring().take(from, arrived.removeFirst());
            if (left != null) {
                arrived.addFirst(left);
                deliverLater();
                return;
            }
        }
    }

    private void deliverLater() {
        if (!offersAgain) {
            offersAgain = true;
            ring.after(
                    OFFER_AGAIN_MILLIS,
                    () -> {
                        offersAgain = false;
                        deliver();
                    });
        }
    }

    /** The cut between its ends may be over: what waited is sent. */
    void healed() {
        if (!ring.cut(from, to) && state == State.OPEN) {
            while (!held.isEmpty()) {
                transmit(held.removeFirst());
            }
        }
    }

    /** From here on nothing comes through, and it is found out when nobody says a word. */
    void silent() {
        if (state != State.CLOSED) {
            int cutOn = connection;
            ring.after(
                    SILENCE_MILLIS + chance.below(2000),
                    () -> {
                        boolean still =
                                ring.cut(from, to)
                                        || ring.cut(to, from)
                                        || from.asleep()
                                        || to.asleep();
                        if (still) {
                            breakIf(cutOn, "nothing was heard for 15 s");
                        }
                    });
        }
    }

    /** One end has died; the other finds out after so many milliseconds. */
    void ended(long noticedMillis) {
        held.clear();
        arrived.clear();
        if (state != State.CLOSED) {
            state = State.DEAD;
            breakLater(noticedMillis, "the connection was closed");
        }
    }

    /** The connection breaks although both ends are well. */
    void reset() {
        breakIf(connection, "the connection was reset");
    }

    private void breakLater(long millis, String why) {
        int dead = connection;
        ring.after(millis, () -> breakIf(dead, why));
    }

    private void breakIf(int broken, String why) {
        if (connection != broken || state == State.CLOSED) {
            return;
        }
        boolean unused = ahead && failures > 0;
        state = State.CLOSED;
        connection++;
        long rest = Math.min(MOST_REST_MILLIS, REST_MILLIS << Math.min(failures++, 10));
        notBeforeMillis = ring.nowMillis() + rest;
        held.clear();
        if (chance.happens(0.5)) {
            arrived.clear(); // or they lie in the receiver's buffers and are still read
        }
        sayAgain();
        if (!unused) {
            ring.tell(from, to, why);
            ring.tell(to, from, why);
        }
    }

    /** The sender's process has ended, and what it remembered is gone. */
    void forgot() {
        closes = new OwedCloses();
        saysAgain = false;
        failures = 0;
    }

    boolean open() {
        return state == State.OPEN;
    }

    int waiting() {
        return Math.max(held.size(), arrived.size());
    }
}
