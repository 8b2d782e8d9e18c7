package coop.sahkar.coordinator.usage;

import coop.sahkar.governance.ledger.UsageBatch;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What this coordinator has counted and the ledger does not know yet. One batch at a time is on its
 * way; while it is not known what became of it, it is sent again under the same number, and what is
 * counted meanwhile goes into the next. No clock and no I/O; thread-safe.
 */
public final class UsageBook implements UsageSink {
    /**
     * Sheets that wait while the log cannot be written; each has room for thousands of accounts.
     */
    static final int MAX_SHEETS = 16;

    private final String coordinator;
    private final long run;
    private final Deque<UsageSheet> sheets = new ArrayDeque<>();
    private @Nullable UsageBatch underway;
    private long numbered;
    private long usesLost;

    /**
     * @param coordinator this coordinator's id
     * @param run a random number, another one at each start
     */
    public UsageBook(String coordinator, long run) {
        this.coordinator = coordinator;
        this.run = run;
    }

    @Override
    public synchronized void record(Use use) {
        UsageSheet sheet = sheets.peekLast();
        if (sheet == null || !sheet.takes(use)) {
            if (sheets.size() >= MAX_SHEETS) {
                usesLost++;
                return;
            }
            sheet = new UsageSheet();
            sheets.addLast(sheet);
        }
        sheet.add(use);
    }

    /**
     * The batch to send now: the one under way, or a new one; empty when nothing is to be told.
     *
     * @param lastSequence the number of this coordinator's last batch in the ledger, as known here
     * @param nowMillis Unix time
     */
    public synchronized Optional<UsageBatch> next(long lastSequence, long nowMillis) {
        if (underway == null && !sheets.isEmpty()) {
            // What is known of the log here may be old: a number is never given to two batches.
            numbered = Math.max(lastSequence, numbered) + 1;
            underway = sheets.removeFirst().batch(coordinator, run, numbered, nowMillis);
        }
        return Optional.ofNullable(underway);
    }

    /** The batch under way was posted, or never will be: the next may go. */
    public synchronized void done() {
        underway = null;
    }

    /**
     * The number of the batch under way was taken, by what an earlier start had left on its way. It
     * was not counted, and goes on under another.
     *
     * @param lastSequence the number of this coordinator's last batch in the ledger, as known here
     */
    public synchronized void outOfTurn(long lastSequence) {
        UsageBatch batch = underway;
        if (batch != null) {
            numbered = Math.max(lastSequence, numbered) + 1;
            underway = batch.numbered(numbered);
        }
    }

    /** Uses that found no room, since the log could not be written for very long. */
    public synchronized long usesLost() {
        return usesLost;
    }
}
