package coop.sahkar.governance.ledger;

/** How accounts of the ledger are called. */
public final class AccountName {
    /**
     * The co-operative's own: pays for callers without an account, and gets the credits of work
     * that nobody can be shown to have done.
     */
    public static final String COMMONS = "commons";

    /** Before the id of a worker that names no owner. */
    public static final String WORKER = "worker/";

    /** Characters of the name of an account, at most. */
    public static final int MAX_CHARS = 128;

    private AccountName() {}

    /** Whether an account of the ledger may be called so. */
    public static boolean valid(String name) {
        return name.matches("[A-Za-z0-9._:@/-]{1," + MAX_CHARS + "}");
    }

    /** Whether a worker may name this owner; empty for none. */
    public static boolean validOwner(String owner) {
        return owner.isEmpty() || (valid(owner) && owner.indexOf('/') < 0);
    }

    /** Whether a worker's account may be called after this id. */
    static boolean validWorker(String workerId) {
        return valid(WORKER + workerId);
    }

    /** Where a worker's credits go. */
    public static String ofWorker(String workerId, String owner) {
        return owner.isEmpty() ? WORKER + workerId : owner;
    }
}
