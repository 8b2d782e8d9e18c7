package coop.sahkar.governance;

/**
 * An API key as the pool keeps it: without the key itself.
 *
 * @param id names it to people and tells nothing of it
 * @param hash SHA-256 of its characters, 64 hex digits. A slow hash would add nothing: the key is
 *     random, not chosen by a person
 * @param accountId whom it speaks for
 * @param label what its holder calls it; may be empty
 * @param createdAtMillis Unix time
 * @param revokedAtMillis Unix time of its end; 0 while it is good
 */
public record ApiKey(
        String id,
        String hash,
        String accountId,
        String label,
        long createdAtMillis,
        long revokedAtMillis) {
    /** Characters of a label. */
    public static final int MAX_LABEL = 80;

    /** Whether it is good. */
    public boolean good() {
        return revokedAtMillis == 0;
    }

    /** The same, ended. */
    public ApiKey revoked(long atMillis) {
        return new ApiKey(id, hash, accountId, label, createdAtMillis, atMillis);
    }
}
