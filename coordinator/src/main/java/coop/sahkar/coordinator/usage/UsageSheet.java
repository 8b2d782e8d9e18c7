package coop.sahkar.coordinator.usage;

import coop.sahkar.governance.ledger.UsageBatch;
import coop.sahkar.governance.ledger.Work;
import coop.sahkar.proto.RouteStage;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The sums of one batch while they grow. Balanced after every use. Owned by {@link UsageBook}. */
final class UsageSheet {
    private final SortedMap<String, Work> payers = new TreeMap<>();
    private final SortedMap<String, Work> workers = new TreeMap<>();
    private Work unproven = Work.NONE;

    /** Whether a use can be added without breaking a bound of batches. */
    boolean takes(Use use) {
        int more = 1 + use.stages().size();
        Work most = Work.of(use.promptTokens(), use.answerTokens(), use.blockCount());
        boolean inRange = fits(payers.get(use.account()), most) && fits(unproven, most);
        for (RouteStage stage : use.stages()) {
            inRange &= fits(workers.get(stage.workerId()), most);
        }
        return inRange && payers.size() + workers.size() + more <= UsageBatch.MAX_ENTRIES;
    }

    private static boolean fits(@Nullable Work sum, Work more) {
        return sum == null
                || (sum.promptTokenBlocks() <= Work.MAX_TOKEN_BLOCKS - more.promptTokenBlocks()
                        && sum.answerTokenBlocks()
                                <= Work.MAX_TOKEN_BLOCKS - more.answerTokenBlocks());
    }

    void add(Use use) {
        add(payers, use.account(), use, use.blockCount());
        for (RouteStage stage : use.stages()) {
            add(workers, stage.workerId(), use, stage.span().length());
        }
        if (use.stages().isEmpty()) {
            unproven =
                    unproven.plus(
                            Work.of(use.promptTokens(), use.answerTokens(), use.blockCount()));
        }
    }

    private static void add(Map<String, Work> sums, String name, Use use, int blocks) {
        sums.merge(name, Work.of(use.promptTokens(), use.answerTokens(), blocks), Work::plus);
    }

    UsageBatch batch(String coordinator, long run, long sequence, long atMillis) {
        return new UsageBatch(coordinator, run, sequence, atMillis, payers, workers, unproven);
    }
}
