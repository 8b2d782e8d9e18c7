package coop.sahkar.coordinator.usage;

import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.PoolView;
import coop.sahkar.governance.Account;
import coop.sahkar.governance.ledger.AccountName;
import java.security.PublicKey;
import org.jspecify.annotations.Nullable;

/**
 * Says from the replicated state who pays and whose turn weighs how much, and hands on what was
 * used. Weights come from the ledger as this coordinator knows it: another may be ahead of it by
 * one batch, which moves a turn and nothing else.
 */
public final class LedgerDesk implements UsageDesk {
    private final PoolView pool;
    private final UsageSink book;

    /**
     * @param book adds up what is used
     */
    public LedgerDesk(PoolView pool, UsageSink book) {
        this.pool = pool;
        this.book = book;
    }

    @Override
    public void record(Use use) {
        book.record(use);
    }

    /** The commons pays for those who have no account. */
    @Override
    public String payer(String account) {
        Account known = pool.state().accounts().accounts().get(account);
        return known == null ? AccountName.COMMONS : known.name();
    }

    @Override
    public int turnWeight(String account) {
        PoolState state = pool.state();
        return state.ledger().weight(payer(account), state.policy().ledger());
    }

    @Override
    public @Nullable PublicKey ticketKey(String keyId) {
        return pool.state().ticketKey(keyId);
    }
}
