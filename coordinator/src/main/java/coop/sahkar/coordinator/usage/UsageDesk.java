package coop.sahkar.coordinator.usage;

import java.security.PublicKey;
import org.jspecify.annotations.Nullable;

/** What a gateway needs of the ledger. Answers from memory; safe for use by many threads. */
public interface UsageDesk extends UsageSink {
    /**
     * The account of the ledger that pays for a caller.
     *
     * @param account whom the request takes its turn for
     */
    String payer(String account);

    /** Turns of a caller when requests wait, against those of others; at least 1. */
    int turnWeight(String account);

    /** The key that session tickets are signed with; null when the pool does not know it. */
    @Nullable PublicKey ticketKey(String keyId);
}
