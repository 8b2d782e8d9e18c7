package coop.sahkar.governance.ledger;

import java.util.Collection;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What one coordinator counted since its batch before. Coordinator, run and sequence name it for
 * ever: sent again, however often, it counts once.
 *
 * @param coordinator who counted
 * @param run drawn when that coordinator started; what an earlier start left behind is another run
 * @param sequence grows with each batch of a coordinator, across starts
 * @param atMillis Unix time of the coordinator
 * @param payers work done for each account
 * @param workers work done by each worker, by its id
 * @param unproven work that no worker can be shown to have done; the commons gets its credits
 */
public record UsageBatch(
        String coordinator,
        long run,
        long sequence,
        long atMillis,
        SortedMap<String, Work> payers,
        SortedMap<String, Work> workers,
        Work unproven) {
    /** Payers and workers of one batch together. */
    public static final int MAX_ENTRIES = 4096;

    /** Makes it, checking nothing: the ledger judges what comes from the log. */
    public UsageBatch {
        payers = Collections.unmodifiableSortedMap(new TreeMap<>(payers));
        workers = Collections.unmodifiableSortedMap(new TreeMap<>(workers));
    }

    /** The same work under another number. */
    public UsageBatch numbered(long otherSequence) {
        return new UsageBatch(coordinator, run, otherSequence, atMillis, payers, workers, unproven);
    }

    /** Whether as much work was done as was done for somebody. */
    boolean balances() {
        return prompts(payers.values()) == prompts(workers.values()) + unproven.promptTokenBlocks()
                && answers(payers.values())
                        == answers(workers.values()) + unproven.answerTokenBlocks();
    }

    /** No overflow: {@link #MAX_ENTRIES} times {@link Work#MAX_TOKEN_BLOCKS} fits. */
    private static long prompts(Collection<Work> parts) {
        return parts.stream().mapToLong(Work::promptTokenBlocks).sum();
    }

    private static long answers(Collection<Work> parts) {
        return parts.stream().mapToLong(Work::answerTokenBlocks).sum();
    }
}
