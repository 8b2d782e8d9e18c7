package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.PostUsage;
import coop.sahkar.coordinator.state.Outcome;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.usage.Use;
import coop.sahkar.governance.ledger.UsageBatch;
import coop.sahkar.governance.ledger.Work;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Keeps count beside the ledger: what each start of each coordinator has counted, and what of it
 * was posted. Nothing may be posted that was not counted, nothing twice, and nothing of a
 * coordinator that lives may be missing in the end.
 */
final class BookKeeping {
    private final SortedMap<String, Work> counted = new TreeMap<>();
    private final SortedMap<String, Work> posted = new TreeMap<>();

    /** A coordinator counts something. */
    void used(String coordinator, long run, Use use) {
        Work work = Work.of(use.promptTokens(), use.answerTokens(), use.blockCount());
        counted.merge(name(coordinator, run), work, Work::plus);
    }

    /** A command was applied to what was committed before. */
    void applied(PoolState before, Command command, Outcome outcome) {
        if (!(command instanceof PostUsage(UsageBatch batch))) {
            return;
        }
        PoolState after = outcome.state();
        if (after.ledger().sumMicros() != 0) {
            throw new Violation("the ledger adds up to " + after.ledger().sumMicros());
        }
        if (after.ledger().counted().equals(before.ledger().counted())) {
            return;
        }
        String name = name(batch.coordinator(), batch.run());
        Work all = batch.payers().values().stream().reduce(Work.NONE, Work::plus);
        Work sum = posted.merge(name, all, Work::plus);
        Work most = counted.getOrDefault(name, Work.NONE);
        if (sum.promptTokenBlocks() > most.promptTokenBlocks()
                || sum.answerTokenBlocks() > most.answerTokenBlocks()) {
            throw new Violation(
                    "of %s %s was posted, and only %s counted".formatted(name, sum, most));
        }
    }

    /** A coordinator lives and has posted everything. */
    void settled(String coordinator, long run) {
        String name = name(coordinator, run);
        Work should = counted.getOrDefault(name, Work.NONE);
        Work is = posted.getOrDefault(name, Work.NONE);
        if (!is.equals(should)) {
            throw new Violation(
                    "%s counted %s, and %s is in the ledger".formatted(name, should, is));
        }
    }

    private static String name(String coordinator, long run) {
        return coordinator + " in run " + Long.toHexString(run);
    }
}
