package coop.sahkar.deploy.simulate;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The way between one worker and one coordinator. A stream on it keeps order; what is sent while a
 * direction is cut arrives when that is over, or never if the stream broke meanwhile. Assignments
 * may also come twice or late: a worker hears several coordinators, on streams that know nothing of
 * each other.
 */
final class ControlPath {
    /** Messages that may wait in one direction before the invariants call it unbounded. */
    static final int MOST_HELD = 512;

    private static final long KEEP_ALIVE_MILLIS = 20_000;
    private static final int JITTER_MILLIS = 20;

    final VirtualWorker worker;
    final VirtualCoordinator coordinator;
    private final Agenda agenda;
    private final Chance chance;
    private final int latencyMillis;
    private final Way up = new Way();
    private final Way down = new Way();

    /** The newest stream that the worker opened. */
    long stream;

    /** Whether the worker was welcomed on it. */
    boolean welcomed;

    /** The stream that the coordinator takes for open; 0 for none. */
    long admitted;

    /** When the coordinator let it in. */
    long admittedAtMillis;

    /** Its lease there. */
    long lease;

    /** Whether the worker said on the open stream that it is about to leave. */
    boolean leaves;

    /** What the coordinator assigned last on it. */
    @org.jspecify.annotations.Nullable Object assigned;

    private final class Way {
        private final Deque<Runnable> held = new ArrayDeque<>();
        private int cuts;
        private int cutNumber;
        private long lastArrivalMillis;

        void send(Runnable deliver, long extraMillis) {
            if (cuts > 0) {
                held.addLast(deliver);
                return;
            }
            long arrival = agenda.nowMillis() + latencyMillis + chance.below(JITTER_MILLIS);
            if (extraMillis > 0) {
                agenda.at(arrival + extraMillis, deliver);
                return;
            }
            lastArrivalMillis = Math.max(arrival, lastArrivalMillis);
            agenda.at(lastArrivalMillis, deliver);
        }

        void cut() {
            cuts++;
            int number = ++cutNumber;
            agenda.after(KEEP_ALIVE_MILLIS, () -> breakIfStillCut(number));
        }

        private void breakIfStillCut(int number) {
            if (cuts > 0 && number == cutNumber) {
                breakBoth();
            }
        }

        void heal() {
            cuts = Math.max(0, cuts - 1);
            if (cuts == 0) {
                Deque<Runnable> waiting = new ArrayDeque<>(held);
                held.clear();
                waiting.forEach(deliver -> send(deliver, 0));
            }
        }
    }

    ControlPath(
            VirtualWorker worker, VirtualCoordinator coordinator, Agenda agenda, Chance chance) {
        this.worker = worker;
        this.coordinator = coordinator;
        this.agenda = agenda;
        this.chance = chance;
        this.latencyMillis = (int) chance.spread(1, 120);
    }

    void sendUp(Runnable deliver) {
        up.send(deliver, 0);
    }

    void sendDown(Runnable deliver) {
        down.send(() -> worker.whenAwake(deliver), 0);
    }

    /** As {@link #sendDown}, but it may come twice, or after what was sent later. */
    void sendDownLoosely(Runnable deliver) {
        Runnable awake = () -> worker.whenAwake(deliver);
        if (chance.happens(0.03)) {
            down.send(awake, 1 + chance.below(3000));
        }
        down.send(awake, chance.happens(0.03) ? 1 + chance.below(3000) : 0);
    }

    void cutUp() {
        up.cut();
    }

    void cutDown() {
        down.cut();
    }

    void healUp() {
        up.heal();
    }

    void healDown() {
        down.heal();
    }

    /** How long a message takes one way. */
    int latencyMillis() {
        return latencyMillis;
    }

    /** Whether messages pass in both directions. */
    boolean passes() {
        return up.cuts == 0 && down.cuts == 0;
    }

    int held() {
        return up.held.size() + down.held.size();
    }

    /** Both ends find out that nothing comes through. */
    void breakBoth() {
        up.held.clear();
        down.held.clear();
        long broken = stream;
        coordinator.closed(this, admitted);
        worker.whenAwake(() -> worker.control().streamBroke(this, broken));
    }
}
