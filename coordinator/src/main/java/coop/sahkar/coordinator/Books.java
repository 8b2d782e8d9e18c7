package coop.sahkar.coordinator;

import coop.sahkar.coordinator.control.LedgerService;
import coop.sahkar.coordinator.raft.RatisLog;
import coop.sahkar.coordinator.usage.LedgerDesk;
import coop.sahkar.coordinator.usage.UsageBook;
import coop.sahkar.coordinator.usage.UsageLoop;
import java.util.function.LongSupplier;

/**
 * The parts of a coordinator that have to do with the ledger.
 *
 * @param desk where the gateway's use is counted
 * @param loop brings it to the log
 * @param service shows the books
 */
record Books(LedgerDesk desk, UsageLoop loop, LedgerService service) {
    /**
     * @param run drawn at each start
     */
    static Books of(String coordinator, RatisLog log, long run, LongSupplier unixMillis) {
        UsageBook book = new UsageBook(coordinator, run);
        return new Books(
                new LedgerDesk(log, book),
                new UsageLoop(coordinator, log, book, unixMillis),
                new LedgerService(log));
    }
}
