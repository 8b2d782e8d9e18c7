package coop.sahkar.worker.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What many threads say to one engine. Bounded in messages and in rows: work that is offered when
 * it is full is refused. Word that frees something (a cancellation, a lost peer, the end) always
 * gets in.
 */
final class Mailbox {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private final ArrayDeque<Inbound> waiting = new ArrayDeque<>();
    private final int mostMessages;
    private final int mostRows;
    private int rows;
    private int backlogRows;
    private boolean closed;
    private volatile boolean empty = true;

    Mailbox(int mostMessages, int mostRows) {
        this.mostMessages = mostMessages;
        this.mostRows = mostRows;
    }

    /** What became of something that was put in. */
    enum Offer {
        /** It lies in the mailbox. */
        TAKEN,
        /** There is no room now. */
        FULL,
        /** Nobody reads any more. */
        CLOSED
    }

    /** Puts work in, if there is room for it. Into an empty mailbox everything goes. */
    Offer offer(Inbound inbound) {
        int more = rowsOf(inbound);
        lock.lock();
        try {
            if (closed) {
                return Offer.CLOSED;
            }
            boolean tooManyRows = more > 0 && rows + backlogRows > 0 && roomFor() < more;
            if (waiting.size() >= mostMessages || tooManyRows) {
                return Offer.FULL;
            }
            add(inbound, more);
            return Offer.TAKEN;
        } finally {
            lock.unlock();
        }
    }

    /** Puts in what must not be refused. */
    void put(Inbound inbound) {
        lock.lock();
        try {
            if (!closed) {
                add(inbound, rowsOf(inbound));
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes everything that waits; if nothing does, waits for it first.
     *
     * @param backlog rows the engine has taken out before and not computed
     * @param waitNanos how long to wait at most; 0 is not at all
     */
    List<Inbound> take(int backlog, long waitNanos) throws InterruptedException {
        lock.lock();
        try {
            backlogRows = backlog;
            long left = waitNanos;
            while (waiting.isEmpty() && left > 0) {
                left = filled.awaitNanos(left);
            }
            return takeAll();
        } finally {
            lock.unlock();
        }
    }

    /** Whether nothing waits; costs nothing to ask. */
    boolean empty() {
        return empty;
    }

    /** What waits, if it is one thing only; it stays. */
    @Nullable Inbound only() {
        lock.lock();
        try {
            return waiting.size() == 1 ? waiting.peekFirst() : null;
        } finally {
            lock.unlock();
        }
    }

    /** Takes the first thing that waits, to be computed at once; there is one. */
    Inbound takeFirst() {
        lock.lock();
        try {
            Inbound first = waiting.removeFirst();
            rows -= rowsOf(first);
            empty = waiting.isEmpty();
            return first;
        } finally {
            lock.unlock();
        }
    }

    /** Refuses everything from here on and hands out what still waits. */
    List<Inbound> close() {
        lock.lock();
        try {
            closed = true;
            backlogRows = 0;
            return takeAll();
        } finally {
            lock.unlock();
        }
    }

    /** Rows that wait, here and behind. */
    int queuedRows() {
        lock.lock();
        try {
            return rows + backlogRows;
        } finally {
            lock.unlock();
        }
    }

    private int roomFor() {
        return mostRows - rows - backlogRows;
    }

    private void add(Inbound inbound, int more) {
        waiting.addLast(inbound);
        rows += more;
        empty = false;
        filled.signal();
    }

    private List<Inbound> takeAll() {
        List<Inbound> all = new ArrayList<>(waiting);
        waiting.clear();
        empty = true;
        backlogRows += rows;
        rows = 0;
        return all;
    }

    private static int rowsOf(Inbound inbound) {
        if (inbound instanceof Inbound.FromPeer(StageMessage.Frames(var frames), long _)) {
            return frames.stream().mapToInt(frame -> frame.tokens().length).sum();
        }
        return 0;
    }
}
