package coop.sahkar.deploy.simulate;

import java.util.PriorityQueue;

/** What will happen, in order of virtual time; of one moment, what was planned first. */
final class Agenda {
    private final PriorityQueue<Entry> entries = new PriorityQueue<>();
    private long nowMillis;
    private long planned;
    private long happened;

    private record Entry(long atMillis, long order, Runnable what) implements Comparable<Entry> {
        @Override
        public int compareTo(Entry other) {
            int byTime = Long.compare(atMillis, other.atMillis);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    /** A clock that already runs: nothing may depend on it having begun at 0. */
    Agenda(long startMillis) {
        this.nowMillis = startMillis;
    }

    long nowMillis() {
        return nowMillis;
    }

    /** How many events there were. */
    long happened() {
        return happened;
    }

    void at(long millis, Runnable what) {
        entries.add(new Entry(Math.max(nowMillis, millis), planned++, what));
    }

    void after(long millis, Runnable what) {
        at(nowMillis + millis, what);
    }

    /** Has {@code what} happen every {@code millis}, for good. */
    void every(long millis, Runnable what) {
        after(
                millis,
                () -> {
                    what.run();
                    every(millis, what);
                });
    }

    /** Lets the next event happen if it lies before {@code endMillis}; false when none does. */
    boolean step(long endMillis) {
        Entry next = entries.peek();
        if (next == null || next.atMillis() >= endMillis) {
            nowMillis = endMillis;
            return false;
        }
        entries.poll();
        nowMillis = next.atMillis();
        happened++;
        next.what().run();
        return true;
    }
}
