package coop.sahkar.coordinator.limits;

import java.util.concurrent.CompletableFuture;

/**
 * The limits of accounts, the same whichever coordinator is asked. A request takes what it may need
 * before it begins, and settles what it has used when it is over.
 */
public interface Allowances {
    /** Takes what a request needs. Never fails: where nobody else can decide, who is asked does. */
    CompletableFuture<Verdict> take(Wish wish);

    /** Says what a request came to; once for each that was granted. Does not wait. */
    void settle(Settlement end);
}
