package coop.sahkar.coordinator.gateway;

import java.util.ArrayList;
import java.util.List;

/** The runs behind one answer: what ends one ends all. Thread-safe. */
final class AnswerRuns {
    private final List<GenerationRun> running = new ArrayList<>();
    private boolean cancelled;

    /** Lets a run begin, unless the others were cancelled before. */
    void begin(GenerationRun begun) {
        if (enter(begun)) {
            begun.next();
        } else {
            begun.cancel();
        }
    }

    private synchronized boolean enter(GenerationRun begun) {
        if (!cancelled) {
            running.add(begun);
        }
        return !cancelled;
    }

    /** Cancels all, outside any lock: each has a turn of its own. */
    void cancel() {
        List<GenerationRun> all;
        synchronized (this) {
            cancelled = true;
            all = List.copyOf(running);
            running.clear();
        }
        all.forEach(GenerationRun::cancel);
    }
}
