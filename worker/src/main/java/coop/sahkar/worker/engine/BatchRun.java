package coop.sahkar.worker.engine;

import coop.sahkar.worker.head.HeadGeneration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Picks the rows of the next batch from the sessions that have some: decode rows first, then chunks
 * of prompts, each kind in the order in which sessions became ready.
 */
final class BatchRun {
    private final StageShape shape;
    private final BatchPolicy policy;
    private final Rows rows;
    private final Set<StageSession> ready = new LinkedHashSet<>();

    BatchRun(StageShape shape, BatchPolicy policy, Rows rows) {
        this.shape = shape;
        this.policy = policy;
        this.rows = rows;
    }

    /** The session may have rows that wait. */
    void ready(StageSession session) {
        ready.add(session);
    }

    void forget(StageSession session) {
        ready.remove(session);
    }

    boolean empty() {
        ready.removeIf(session -> session.waitingRows() == 0);
        return ready.isEmpty();
    }

    /** Rows that wait in all sessions. */
    int waitingRows() {
        return ready.stream().mapToInt(StageSession::waitingRows).sum();
    }

    /** Fills the rows and says whose they are; what was picked goes to the end of the line. */
    List<Slice> pick(List<StageSession> all) {
        rows.clear();
        List<Slice> slices = new ArrayList<>();
        boolean prefillWaits = ready.stream().anyMatch(session -> !session.decodes());
        int stages = stages(all);
        int decodes =
                Math.min(share(all, stages), policy.decodeRows(shape.maxRows(), prefillWaits));
        Iterator<StageSession> line = ready.iterator();
        while (line.hasNext() && rows.count() < decodes) {
            StageSession session = line.next();
            if (session.decodes()) {
                slices.add(session.fill(rows, shape.width(), 1));
                line.remove();
            }
        }
        pickPrefill(slices, shape.head() ? policy.enoughPrefillRows(stages) : shape.maxRows());
        slices.forEach(slice -> ready.add(slice.session()));
        return slices;
    }

    private void pickPrefill(List<Slice> slices, int enough) {
        int room = policy.prefillRows(shape.maxRows(), rows.count());
        int left = room;
        Iterator<StageSession> line = ready.iterator();
        while (line.hasNext() && left > 0 && room - left < enough) {
            StageSession session = line.next();
            if (!session.decodes()) {
                Slice slice = session.fill(rows, shape.width(), left);
                slices.add(slice);
                left -= slice.count();
                line.remove();
            }
        }
    }

    /** Stages of the longest route. */
    private static int stages(List<StageSession> all) {
        return all.stream().mapToInt(session -> session.ticket().stages().size()).max().orElse(1);
    }

    /** The head's share of decode rows; every other stage takes all that come. */
    private int share(List<StageSession> all, int stages) {
        if (!shape.head()) {
            return Integer.MAX_VALUE;
        }
        int decoding = 0;
        for (StageSession session : all) {
            HeadGeneration generation = session.generation();
            if (generation != null && generation.decoding()) {
                decoding++;
            }
        }
        return policy.decodeShare(decoding, stages);
    }
}
